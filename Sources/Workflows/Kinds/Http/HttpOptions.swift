internal import Kernel
internal import Outbound

/// How a request is sent and its answer read: the options of all versions under one roof.
struct HttpOptions: Sendable {
    enum Format: String, Sendable {
        case autodetect, json, text, file
    }

    var timeout: Duration
    var followsRedirects: Bool
    var maximumRedirects: Int
    var verifiesCertificates: Bool
    var proxy: OutboundProxy?
    /// Whether the server is asked to pack nothing.
    var asksForUnpacked: Bool
    var format: Format
    /// Where text, files and values that are no objects go.
    var outputProperty: String
    var fullResponse: Bool
    var neverError: Bool
    /// Whether a JSON list gives an item for each element; before version 3 only where the node says so.
    var splitsLists: Bool
    /// Attempts of one request in all, with growing waits between them.
    var attempts: Int
    var backoffMilliseconds: Double

    /// What servers that give several forms are asked for, in n8n's order.
    var accepts: String {
        switch format {
        case .json: "application/json,text/*;q=0.99"
        case .text: "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9,*/*;q=0.1"
        case .autodetect, .file: "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9,image/*;q=0.8,*/*;q=0.7"
        }
    }

    init(_ step: StepContext, item: Int) async throws {
        func option(_ path: String) async throws -> JSON? { try await step.parameter("options.\(path)", item: item) }
        let isOld = step.version < 3
        let milliseconds = try await option("timeout")?.coercedNumber ?? 300_000
        timeout = .milliseconds(Int64(milliseconds.isFinite ? min(max(milliseconds, 1), 3_600_000) : 300_000))
        let redirect = isOld ? "" : "redirect.redirect."
        if isOld {
            let method = try await step.text("requestMethod", item: item, default: "GET").uppercased()
            let follows = try await option("followRedirect")?.isTruthy ?? true
            let followsAll = try await option("followAllRedirects")?.isTruthy ?? false
            followsRedirects = followsAll || (follows && ["GET", "HEAD"].contains(method))
        } else {
            followsRedirects = try await option("redirect.redirect.followRedirects")?.isTruthy ?? false
        }
        maximumRedirects = (try await option(redirect + "maxRedirects")?.coercedNumber ?? 21).whole(in: 0...50) ?? 21
        let lax = isOld ? try await step.parameter("allowUnauthorizedCerts", item: item) : try await option("allowUnauthorizedCerts")
        verifiesCertificates = lax?.isTruthy != true
        proxy = try HttpOptions.proxy(try await option("proxy"), item: item)
        asksForUnpacked = try await option("requestUncompressedResponse")?.isTruthy ?? false
        let response = isOld ? "" : "response.response."
        fullResponse = try await option(response + "fullResponse")?.isTruthy ?? false
        neverError = try await option(isOld ? "ignoreResponseCode" : response + "neverError")?.isTruthy ?? false
        splitsLists = isOld ? try await option("splitIntoItems")?.isTruthy ?? false : true
        let written = isOld ? try await step.parameter("responseFormat", item: item) : try await option(response + "responseFormat")
        let name = written?.text ?? (isOld ? "json" : "autodetect")
        guard let format = Format(rawValue: name == "string" ? "text" : name) else {
            throw StepFailure.invalid("responseFormat", "'\(name)' is no format of a response.", item: item)
        }
        self.format = format
        let property = isOld ? try await step.parameter("dataPropertyName", item: item) : try await option(response + "outputPropertyName")
        outputProperty = property?.text ?? "data"
        attempts = (try await option("retry.maxTries")?.coercedNumber ?? 1).whole(in: 1...10) ?? 1
        let wait = try await option("retry.waitBetweenTries")?.coercedNumber ?? 1_000
        backoffMilliseconds = wait.isNaN ? 1_000 : min(max(wait, 0), 30_000)
    }

    private static func proxy(_ written: JSON?, item: Int) throws -> OutboundProxy? {
        guard let written, written.isTruthy else { return nil }
        do { return try OutboundProxy(written.displayText) } catch let error as OutboundError {
            throw StepFailure.invalid("options.proxy", "The proxy cannot be used: \(error.message)", item: item)
        }
    }
}
