internal import Foundation

/// Keeps the write-ahead file longer than what is in it.
///
/// A sync of what lengthened a file also has to bring the file's new length and place to the disk, which takes as long again as the bytes. Once the
/// file begins again at its start that is over; this is for the time before, which every start of the program goes through.
final class WriteAheadRoom {
    /// Bytes that stay free behind the last commit: most commits need fewer.
    static let margin = 64 << 10
    /// Bytes by which it grows at once at most: one sync has to take them all.
    static let stepMaximum = 1 << 20
    /// Of a frame, before its page (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
    private static let frameHeader = 24
    private static let fileHeader = 32

    private let path: String
    private let frame: Int

    /// - Parameter pageSize: of the database, in bytes.
    init(database path: String, pageSize: Int) {
        self.path = path + "-wal"
        frame = pageSize + Self.frameHeader
    }

    /// Only within a transaction that writes, while nobody else can write to the file. Frames count up to the last whole commit with the file's salt,
    /// so that zeros behind it are not read. Where the disk has no room, nothing is done: the commit will tell.
    /// - Parameter pages: in the file after the last commit.
    func keep(after pages: Int) {
        guard pages < Checkpointer.pages else { return }
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        let length = Int(status.st_size)
        let used = Self.fileHeader + pages * frame
        guard length - used < Self.margin else { return }
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let count = min(max(length, Self.margin), Self.stepMaximum)
        _ = [UInt8](repeating: 0, count: count).withUnsafeBytes { pwrite(descriptor, $0.baseAddress, count, off_t(length)) }
    }
}
