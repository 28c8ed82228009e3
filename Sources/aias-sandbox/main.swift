internal import Glibc

/// The process that runs scripts; started by `Scripting`'s `Sandbox` with the socket as descriptor 3.
///     aias-sandbox --serve RESIDENT_BYTES     answers frames in JavaScript
///     aias-sandbox --serve-python RESIDENT_BYTES [LIBRARY]     answers one frame in Python
///     aias-sandbox --probe-walls [--without-landlock | --python]     shows what the walls refuse
let arguments = CommandLine.arguments.dropFirst()
switch (arguments.first, arguments.dropFirst().first) {
case ("--serve", let limit?) where Int(limit) != nil: Worker.serve(residentBytesMaximum: Int(limit)!)
case ("--serve-python", let limit?) where Int(limit) != nil:
    PythonWorker.serve(residentBytesMaximum: Int(limit)!, library: arguments.dropFirst(2).first)
case ("--probe-walls", "--python"?): Probe.runPython()
case ("--probe-walls", let option): Probe.run(withoutLandlock: option == "--without-landlock")
default:
    print("aias-sandbox is started by aias; by hand only: aias-sandbox --probe-walls [--without-landlock | --python]")
    exit(64)
}
