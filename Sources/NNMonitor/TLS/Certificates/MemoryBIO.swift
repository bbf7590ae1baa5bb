import COpenSSL

/// Reads everything from a memory BIO, which the caller owns and frees.
func readAll(from bio: OpaquePointer) -> SecretBytes {
    unsafe SecretBytes(count: BIO_ctrl_pending(bio)) { target in
        // `target` has the size of what the BIO contains, so one read is enough.
        unsafe _ = BIO_read(bio, target.baseAddress, CInt(target.count))
    }
}
