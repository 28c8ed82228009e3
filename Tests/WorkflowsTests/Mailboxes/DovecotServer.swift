import Foundation
import TestKit

/// A real IMAP server (Debian's dovecot-imapd) of one user, without TLS, on loopback, with its mails in a folder of its own.
struct DovecotServer {
    static let user = "ada"
    static let password = "s\"cret ü"
    let process: ServiceProcess

    var port: Int { process.port }
    private var mails: String { process.folder + "/mail" }

    static func start() async throws -> DovecotServer {
        // As root it takes the users of Debian's package, since it refuses to give mails to root.
        let isRoot = geteuid() == 0
        let me = NSUserName()
        let (inner, login) = isRoot ? ("dovecot", "dovenull") : (me, me)
        let owner = isRoot ? "uid=65534 gid=65534" : "uid=\(getuid()) gid=\(getgid())"
        let process = try await ServiceProcess { port, folder in
            let text = """
                base_dir = \(folder)/run
                state_dir = \(folder)/state
                protocols = imap
                listen = 127.0.0.1
                ssl = no
                disable_plaintext_auth = no
                log_path = \(folder)/log
                default_internal_user = \(inner)
                default_internal_group = \(inner)
                default_login_user = \(login)
                first_valid_uid = 0
                first_valid_gid = 0
                mail_location = maildir:\(folder)/mail
                service imap-login {
                  chroot =
                  inet_listener imap {
                    port = \(port)
                  }
                  inet_listener imaps {
                    port = 0
                  }
                }
                service anvil {
                  chroot =
                }
                passdb {
                  driver = passwd-file
                  args = scheme=PLAIN username_format=%u \(folder)/users
                }
                userdb {
                  driver = static
                  args = \(owner) home=\(folder)
                }
                """
            try? text.write(toFile: folder + "/dovecot.conf", atomically: true, encoding: .utf8)
            try? "\(user):{PLAIN}\(password)::::::\n".write(toFile: folder + "/users", atomically: true, encoding: .utf8)
            for name in ["mail", "mail/new", "mail/tmp", "mail/cur"] {
                try? FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
                chmod("\(folder)/\(name)", 0o777)
            }
            return ["/usr/sbin/dovecot", "-F", "-c", folder + "/dovecot.conf"]
        }
        return DovecotServer(process: process)
    }

    /// Puts a mail into the inbox as a delivery agent does.
    func deliver(_ text: String) throws {
        let name = "\(Int(Date().timeIntervalSince1970 * 1e6)).\(UUID().uuidString).test"
        try text.write(toFile: mails + "/tmp/" + name, atomically: false, encoding: .utf8)
        try FileManager.default.moveItem(atPath: mails + "/tmp/" + name, toPath: mails + "/new/" + name)
    }

    /// How many mails have been marked as read.
    func readCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: mails + "/cur").filter { $0.hasSuffix("S") }.count
    }

    /// Gives all mails other UIDs, of another validity.
    func forgetNumbers() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: mails) where name.hasPrefix("dovecot") {
            try FileManager.default.removeItem(atPath: mails + "/" + name)
        }
    }

    /// Ends the server by its own pid.
    func stop() {
        if let text = try? String(contentsOfFile: process.folder + "/run/master.pid", encoding: .utf8),
            let master = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
        {
            kill(master, SIGTERM)
            // Its children end when it does.
            for _ in 0..<400 where kill(master, 0) == 0 { usleep(50_000) }
        }
        process.stop()
    }
}
