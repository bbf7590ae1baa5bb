import Testing

@testable import MonitorServer

@Suite struct ProcessArgumentsTests {
    @Test func `A process without arguments is refused`() {
        #expect(ProcessArguments.refusal(arguments: [])?.contains("/proc is not mounted") == true)
        #expect(ProcessArguments.refusal(arguments: ["NNMonitor"]) == nil)
    }
}
