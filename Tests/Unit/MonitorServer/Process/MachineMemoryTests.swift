import Testing

@testable import MonitorServer

/// The memory that a process may use, from files as the kernel and containers have them.
@Suite struct MachineMemoryTests {
    private static let machine = 16 << 30

    private func available(_ files: [String: String]) -> Int {
        MachineMemory.available(machine: Self.machine) { files[$0] }
    }

    @Test func `Without control groups it is the machine's`() {
        #expect(available([:]) == Self.machine)
        #expect(available(["/proc/self/cgroup": "0::/\n"]) == Self.machine)
        #expect(available(["/proc/self/cgroup": "", "/sys/fs/cgroup/memory.max": "1000\n"]) == Self.machine)
    }

    @Test func `The limit of the group or of a parent holds, version 2`() {
        let group = ["/proc/self/cgroup": "0::/user.slice/a.scope\n"]
        let own = "/sys/fs/cgroup/user.slice/a.scope/memory.max"
        let parent = "/sys/fs/cgroup/user.slice/memory.max"
        #expect(available(group.merging([own: "2147483648\n", parent: "max\n"]) { $1 }) == 2 << 30)
        #expect(available(group.merging([own: "max\n", parent: "1073741824\n"]) { $1 }) == 1 << 30)
        #expect(available(group.merging([own: "3000000000\n", parent: "1073741824\n"]) { $1 }) == 1 << 30)
        #expect(available(group.merging([own: "max\n", parent: "max\n"]) { $1 }) == Self.machine)
    }

    @Test func `In a container the mount's root is the group, independent of the path`() {
        #expect(available(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "536870912\n"]) == 512 << 20)
        let old = "12:cpu,cpuacct:/docker/0123\n11:memory:/docker/0123\n1:name=systemd:/docker/0123\n"
        let files = ["/proc/self/cgroup": old, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n"]
        #expect(available(files) == 256 << 20)
        let above = ["/proc/self/cgroup": "0::/../..\n", "/sys/fs/cgroup/memory.max": "536870912\n"]
        #expect(available(above) == 512 << 20)
    }

    @Test func `The limit of version 1 holds, and its number for no limit is none`() {
        let group = ["/proc/self/cgroup": "4:memory:/a/b\n0::/c\n"]
        let file = "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes"
        #expect(available(group.merging([file: "1073741824\n"]) { $1 }) == 1 << 30)
        #expect(available(group.merging([file: "9223372036854771712\n"]) { $1 }) == Self.machine)
        #expect(available(group.merging(["/sys/fs/cgroup/unified/c/memory.max": "1073741824"]) { $1 }) == 1 << 30)
    }

    @Test(arguments: ["", "no", "-1\n", "0\n", "99999999999999999999999\n", "1.5\n"])
    func `A file that holds no limit is none`(text: String) {
        #expect(available(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": text]) == Self.machine)
    }

    @Test func `The default limit is at most a quarter of this machine's memory`() async throws {
        let storage = try await SettingsFixture.settings().storage
        #expect(storage.maxMemory.value == nil && storage.memoryLimit > 0)
        for limit in [0, 5] {
            let settings = try await SettingsFixture.settings(environment: ["NN_MONITOR_MAX_MEMORY": "\(limit)"])
            #expect(settings.storage.memoryLimit == limit)
        }
    }
}
