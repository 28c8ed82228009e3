package import Kernel

/// A run as people look at it: each step with its input, output, time and error, in the order in which they ended.
package struct Execution: Sendable {
    package struct Step: Sendable {
        package var node: String
        package var kind: String
        package var runIndex: Int
        package var attempt: Int
        /// `succeeded`, `failed`, `running`, `waiting`, `uncertain`
        package var status: String
        /// By input and by output: items `{json, binary?}`.
        package var input: [[JSON]]
        package var output: [[JSON]]
        package var error: JSON?
        package var startedAt: Timestamp?
        package var finishedAt: Timestamp?
    }

    package var run: Run
    package var workflowName: String
    package var steps: [Step]
    package var timeline: RunTimeline
}
