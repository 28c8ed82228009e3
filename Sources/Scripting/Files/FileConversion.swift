package import Kernel

/// What `aias-files` is to do: an operation with its settings, and the files that it is about.
package struct FileConversion: Sendable {
    package struct File: Sendable {
        package var name: String
        package var bytes: [UInt8]
        package init(name: String = "", bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    package enum Operation: String, Sendable {
        case unzip, zip, gunzip, gzip
        case readSheet = "read_sheet"
        case writeSheet = "write_sheet"
        case readPDF = "read_pdf"
        case readXML = "read_xml"
        /// Changes of an image; the facts of one.
        case editImage = "edit_image"
        case describeImage = "describe_image"
        /// A QR code as PNG or SVG; the codes in an image.
        case makeQR = "make_qr"
        case readCodes = "read_codes"
        case readMail = "read_mail"
        /// A SELECT over lists of objects.
        case querySQL = "query_sql"
        /// A page of HTML as a PDF file, where WeasyPrint is installed.
        case printPage = "print_page"
    }

    package var operation: Operation
    package var settings: JSONObject
    package var files: [File]
    /// Whose turn it takes where several wait; nil is nobody's.
    package var tenant: TenantID?

    package init(_ operation: Operation, settings: JSONObject = [:], files: [File] = []) {
        self.operation = operation
        self.settings = settings
        self.files = files
    }

    /// The same as a tenant's.
    package func of(_ tenant: TenantID) -> FileConversion {
        var copy = self
        copy.tenant = tenant
        return copy
    }
}

package struct ConvertedFiles: Sendable {
    package var facts: JSONObject
    package var files: [FileConversion.File]
}

/// Why a file was not converted; `unreadable_file`, `file_too_large`, `password`, `no_sheet`, `unsupported_format`,
/// `invalid_parameter`, `unavailable`; `sql` where a query is at fault.
package struct FileConversionError: Error, Sendable, Hashable {
    package var code: String
    package var message: String
    package init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// What one conversion may use.
package struct FileConversionLimits: Sendable {
    package var inputBytes = 256 << 20
    /// Of what comes out, all files together, and of what a packed file may hold on the way.
    package var outputBytes = 256 << 20
    package var entries = 10_000
    /// How many times larger than a packed file its content may be.
    package var ratio = 1_000
    package var memoryBytes = 2 << 30
    /// On the wall clock, and of processor time.
    package var time: Duration = .seconds(60)
    /// Conversions under way at a time.
    package var sideBySide = 2
    /// Conversions that may wait; beyond that the last of the tenant with most of them is refused.
    package var waiting = 1_000
    package init() {}
}
