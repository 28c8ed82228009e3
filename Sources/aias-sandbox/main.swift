internal import Glibc

/// The process that runs scripts; started by `Scripting`'s `Sandbox` with the socket as descriptor 3.
///     aias-sandbox --serve RESIDENT_BYTES     answers frames
///     aias-sandbox --probe-walls [--without-landlock]     shows what the walls refuse
let arguments = CommandLine.arguments.dropFirst()
switch (arguments.first, arguments.dropFirst().first) {
case ("--serve", let limit?) where Int(limit) != nil: Worker.serve(residentBytesMaximum: Int(limit)!)
case ("--probe-walls", let option): Probe.run(withoutLandlock: option == "--without-landlock")
default:
    print("aias-sandbox is started by aias; by hand only: aias-sandbox --probe-walls [--without-landlock]")
    exit(64)
}
