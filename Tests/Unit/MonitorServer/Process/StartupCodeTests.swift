@testable import MonitorServer
import Testing

@Suite struct StartupCodeTests {
    @Test func takesTheCodeOfFilesAndNothingElse() {
        let maps = """
            55d0c8a00000-55d0c8c4f000 r--p 00000000 fe:00 1835 /usr/bin/program
            55d0c8c4f000-55d0c9300000 r-xp 0024f000 fe:00 1835 /usr/bin/program
            55d0c9300000-55d0c9400000 rw-p 00900000 fe:00 1835 /usr/bin/program
            55d0ca000000-55d0ca0e3000 rw-p 00000000 00:00 0 [heap]
            7f0000000000-7f0000001000 rwxp 00000000 00:00 0
            7f0000001000-7f0000002000 r-xp 00000000 00:00 0
            7f3b12000000-7f3b12200000 r-xp 00001000 fe:00 77 /usr/lib/a library.so
            7ffd2b5f2000-7ffd2b5f4000 r-xp 00000000 00:00 0 [vdso]
            a broken line
            """
        #expect(
            StartupCode.parts(of: maps) == [0x55d0_c8c4_f000..<0x55d0_c930_0000, 0x7f3b_1200_0000..<0x7f3b_1220_0000])
    }

    #if os(Linux)
        @Test func theProgramRunsOnAfterIt() {
            #expect(!StartupCode.parts(of: TextFile.text(of: "/proc/self/maps") ?? "").isEmpty)
            StartupCode.letGo()
            #expect("\(Settings.self)" == "Settings")
        }
    #endif
}
