/// An error that a person can act on.
///
/// Each room has an enumeration of its own with one case for each way to be wrong. `description` says what is wrong
/// and where (file, node, byte); `remedy`, where there is one, says what to do about it.
public protocol MartletError: Error, CustomStringConvertible, Sendable {
    /// What to do about it, as a sentence; `nil` where the description already says all there is to say.
    var remedy: String? { get }
}

extension MartletError {
    /// No remedy unless the error states one.
    public var remedy: String? { nil }
}
