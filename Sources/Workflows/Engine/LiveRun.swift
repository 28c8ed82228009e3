internal import Kernel
internal import Persistence

/// A run in the hands of this process: its machine, and what has happened to it but is not in the database yet.
struct LiveRun: Sendable {
    let facts: RunFacts
    let parent: Run.Parent?
    var machine: RunMachine
    /// Set until the run's row is written.
    var new: NewRun?
    var seq = 0
    /// Bytes of its texts in the database, before compression.
    var storedBytes = 0
    /// What it is known to hold of files.
    var files: Set<PayloadHash> = []
    var uncommitted: [RunEvent] = []
    /// Runs that the events not yet committed start.
    var calls: [NewRun] = []
    /// Steps to execute.
    var ready: [StepRequest] = []
    /// Steps that wait for a time.
    var timers: [StepKey: Timestamp] = [:]
    /// Given once the events before it are committed.
    var answer: WebhookAnswer?
    /// Whether an effect's result is among the uncommitted events.
    var isUrgent = false

    init(facts: RunFacts, parent: Run.Parent?, machine: RunMachine, new: NewRun?) {
        self.facts = facts
        self.parent = parent
        self.machine = machine
        self.new = new
    }

    /// A run folded from its journal.
    init(facts: RunFacts, parent: Run.Parent?, folded machine: RunMachine, seq: Int, storedBytes: Int = 0) {
        self.init(facts: facts, parent: parent, machine: machine, new: nil)
        self.seq = seq
        self.storedBytes = storedBytes
        take(machine.outstanding)
    }

    @inline(never)
    mutating func feed(_ event: RunEvent) {
        if case .started(_, let items) = event { PayloadNames.settle(input: items, of: facts.id) } else { uncommitted.append(event) }
        switch event {
        case .timerFired(let step), .stepAnswered(let step, _): timers[step] = nil
        default: break
        }
        take(machine.on(event))
    }

    private mutating func take(_ effects: [RunEffect]) {
        for effect in effects {
            switch effect {
            case .execute(let request): ready.append(request)
            case .wait(let step, let until): timers[step] = until
            case .respond(let answer): self.answer = self.answer ?? answer
            case .finish(let end):
                ready = []
                if end.status != .uncertain { timers = [:] }
            }
        }
    }

    var status: RunStatus {
        switch machine.end?.status {
        case .succeeded?: .succeeded
        case .failed?: .failed
        case .cancelled?: .cancelled
        case .uncertain?: .uncertain
        case nil: .running
        }
    }
}
