extension Sequence<UInt8> {
    /// Two digits a byte, in lower case.
    package var hexText: String {
        var text = ""
        for byte in self {
            if byte < 16 { text += "0" }
            text += String(byte, radix: 16)
        }
        return text
    }
}
