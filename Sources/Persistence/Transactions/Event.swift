package import Kernel

/// Something that happened, told to other modules after the commit by way of the outbox.
/// Fields are added, never removed; secrets only as vault references.
package protocol Event: Sendable {
    /// `workflow.run.finished`
    static var name: String { get }
    static var version: Int { get }
    /// What it is about, `run:<id>`; deliveries of one subject keep their order.
    var subject: String { get }
    /// The key under which subscribers apply it once; by default the outbox row's id.
    var key: String? { get }
    var payload: JSON { get }
}

extension Event { package var key: String? { nil } }
