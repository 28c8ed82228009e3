/// The Python that is run, in this order, before the walls stand; all of it is in `Python/`.
enum PythonPrelude {
    static let files: [[UInt8]] = [
        PackageResources.Wire_py, PackageResources.Modules_py, PackageResources.Frozen_py, PackageResources.Values_py, PackageResources.Roots_py,
        PackageResources.Run_py
    ]
}

/// The JavaScript that stands before every script, in the order in which it is evaluated; all of it is in `Prelude/`.
enum Prelude {
    static let files: [(name: String, bytes: [UInt8])] = [
        ("Namespace.js", PackageResources.Namespace_js),
        ("Frozen.js", PackageResources.Frozen_js),
        ("Bytes.js", PackageResources.Bytes_js),
        ("Digests.js", PackageResources.Digests_js),
        ("Zones.js", PackageResources.Zones_js),
        ("Duration.js", PackageResources.Duration_js),
        ("DateTime.js", PackageResources.DateTime_js),
        ("DateTimeText.js", PackageResources.DateTimeText_js),
        ("DateTimeReading.js", PackageResources.DateTimeReading_js),
        ("Interval.js", PackageResources.Interval_js),
        ("JMESPath.js", PackageResources.JMESPath_js),
        ("Extensions.js", PackageResources.Extensions_js),
        ("Rewrite.js", PackageResources.Rewrite_js),
        ("Items.js", PackageResources.Items_js),
        ("Roots.js", PackageResources.Roots_js),
        ("Faults.js", PackageResources.Faults_js),
        ("Evaluate.js", PackageResources.Evaluate_js),
        ("Helpers.js", PackageResources.Helpers_js),
        ("Run.js", PackageResources.Run_js),
        ("Entry.js", PackageResources.Entry_js)
    ]
}
