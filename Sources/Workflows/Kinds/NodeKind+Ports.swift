internal import Kernel

extension NodeKind {
    /// The names of a node's inputs, in order.
    package func inputNames(of node: WorkflowNode) -> [String] { names(of: inputs, node: node) }

    /// The names of a node's outputs, in order, without the error output that `onError` adds.
    package func outputNames(of node: WorkflowNode) -> [String] {
        let rule = outputRules.first { rule in
            Parameter("", .notice, "", showWhen: rule.showWhen)
                .isShown(in: node.config, declarations: parameters, version: node.kindVersion, root: node.config)
        }
        return names(of: rule?.ports ?? outputs, node: node)
    }

    /// The same declaration with other outputs under some settings; an earlier rule wins.
    func withOutputs(_ ports: Ports, when showWhen: Parameter.ShowWhen) -> NodeKind {
        var kind = self
        kind.outputRules.append(PortRule(showWhen, ports))
        return kind
    }

    private func names(of ports: Ports, node: WorkflowNode) -> [String] {
        switch ports {
        case .fixed(let names): return names
        case .count(let parameter, let fallback):
            let count = rawParameter(parameter, of: node)?.coercedNumber ?? Double(fallback)
            let bounded = count.isNaN ? fallback : Int(max(1, min(count, Double(KindLimits.portsPerNode))))
            return (1...bounded).map { "input \($0)" }
        case .entries(let parameter, let nameKey, let fallbackParameter, let fallbackValue):
            // Where what holds them is written without them there are none; only where all of it is left out the default stands.
            let path = parameter.split(separator: ".").map(String.init)
            let isEmptied = path.count == 2 && node.config[path[0]] != nil && node.config[path[0]]?[path[1]] == nil
            let entries = isEmptied ? [] : rawParameter(parameter, of: node)?.array ?? []
            var names = entries.prefix(KindLimits.portsPerNode).enumerated().map { index, entry in
                entry[nameKey]?.text.flatMap { $0.isEmpty ? nil : $0 } ?? "output \(index)"
            }
            if let fallbackParameter, let fallbackValue, rawParameter(fallbackParameter, of: node)?.text == fallbackValue {
                names.append("fallback")
            }
            return names
        }
    }
}
