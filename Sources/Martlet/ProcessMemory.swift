import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the system says of this process's memory.
public enum ProcessMemory {
    /// The most resident memory so far, in bytes.
    public static var peakBytes: Int {
        #if os(Linux)
            // What getrusage says begins with the memory of the process that started this one.
            if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
                let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
                let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
            {
                return kibibytes * 1024
            }
        #endif
        var usage = rusage()
        // Glibc imports the first argument as an enumeration of its own.
        #if canImport(Glibc)
            let whole = __rusage_who_t(RUSAGE_SELF.rawValue)
        #else
            let whole = RUSAGE_SELF
        #endif
        #if canImport(Darwin)
            let unit = 1
        #else
            let unit = 1024
        #endif
        return getrusage(whole, &usage) == 0 ? Int(usage.ru_maxrss) * unit : 0
    }
}
