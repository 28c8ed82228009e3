/// The JavaScript that stands before every script, in the order in which it is evaluated; all of it is in `Prelude/`.
enum Prelude {
    static let files: [(name: String, bytes: [UInt8])] = [
        ("Namespace.js", PackageResources.Namespace_js),
        ("Frozen.js", PackageResources.Frozen_js),
        ("Items.js", PackageResources.Items_js),
        ("Roots.js", PackageResources.Roots_js),
        ("Faults.js", PackageResources.Faults_js),
        ("Evaluate.js", PackageResources.Evaluate_js),
        ("Run.js", PackageResources.Run_js),
        ("Entry.js", PackageResources.Entry_js),
    ]
}
