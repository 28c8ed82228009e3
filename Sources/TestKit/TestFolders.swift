internal import Foundation

/// Places that tests read from.
package enum TestFolders {
    /// What lies beside the checkout for all who work on it; it need not be there.
    package static let shared = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "shared").path(percentEncoded: false)
}
