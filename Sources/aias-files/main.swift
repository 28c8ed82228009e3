internal import Glibc

/// Reads and writes files of other programs for `aias`; started by `Scripting`'s `FileConverter`, one request a process, with the
/// socket as descriptor 3. Nothing is read before the walls stand.
///     aias-files --convert MEMORY_BYTES SECONDS     answers one request
///     aias-files --print MEMORY_BYTES SECONDS       prints one page
///     aias-files --probe-walls [--print]     shows what the walls refuse
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments == ["--probe-walls"] { Probe.run() }
if arguments == ["--probe-walls", "--print"] { Probe.runPrinting() }
guard arguments.count == 3, ["--convert", "--print"].contains(arguments[0]), let memory = UInt(arguments[1]), let seconds = UInt(arguments[2]) else {
    print("aias-files is started by aias; there is nothing to run by hand")
    exit(64)
}
let isPrinting = arguments[0] == "--print"
guard isPrinting ? Walls.raiseForPrinting(memoryBytes: memory, seconds: seconds) : Walls.raise(memoryBytes: memory, seconds: seconds) else {
    exit(Wire.wallsMissing)
}
Wire.answer { request in try isPrinting ? PagePrinter.print(request) : Conversions.perform(request) }
