import MartletTensors

extension DataSet {
    /// A digest for provenance: `fnv1a64:` and 16 hexadecimal digits.
    ///
    /// It covers, in order, the name, the label and the stored bytes of every image (the file as it stands on disk, the
    /// record's pixels in a binary file), each preceded by its length. Where the data set lies does not matter. It finds
    /// mistakes; it is not safe against forgery.
    /// - Throws: `FileError`.
    public func digest() throws -> String {
        var digest = FNV1a()
        for index in 0..<count {
            digest.add(name(at: index))
            digest.add(label(at: index) ?? -1)
            try withStoredBytes(at: index) { digest.add($0) }
        }
        return "fnv1a64:" + digest.text
    }
}
