import ArgumentParser
import MonitorServer

/// The executable: everything that it does is in `MonitorServer`, where tests and fuzz targets reach it.
@main
struct NNMonitor {
    static func main() async {
        ProcessArguments.requireThem()
        await ServeCommand.main()
    }
}
