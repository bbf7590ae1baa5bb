/// Copies values of any kind as compact JSON.
extension JSONReader {
    /// Consumes a value and appends it without white space, as it was posted. Numbers that are not finite become
    /// strings: `NaN` and `Infinity` are not JSON.
    ///
    /// - Parameter bytes: receives the value.
    /// - Throws: a syntax error.
    mutating func copyValue(to bytes: inout [UInt8]) throws(JSONSyntaxError) {
        switch next {
        case UInt8(ascii: "{"):
            try open()
            bytes.append(UInt8(ascii: "{"))
            var first = true
            while true {
                let isFirst = first
                guard let key = try nextKey(first: &first) else { break }
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                copy(key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                try copyValue(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            try open()
            bytes.append(UInt8(ascii: "["))
            var first = true
            while true {
                let isFirst = first
                guard try nextElement(first: &first) else { break }
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                try copyValue(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case UInt8(ascii: "\""): copy(try string(), to: &bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let number = try number()
            let value = double(number)
            if value.isFinite {
                text.append(number.range, to: &bytes)
            } else {
                bytes += value < 0 ? "\"-Infinity\"".utf8 : "\"Infinity\"".utf8
            }
        case UInt8(ascii: "N"):
            try consumeWord("NaN")
            bytes += "\"NaN\"".utf8
        case UInt8(ascii: "I"):
            try consumeWord("Infinity")
            bytes += "\"Infinity\"".utf8
        default:
            let start = offset
            try skipValue()
            text.append(start..<offset, to: &bytes)
        }
    }

    private func copy(_ string: RawString, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        text.append(string.range, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }
}
