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
        var usage = rusage()
        #if canImport(Glibc)
            let failed = getrusage(RUSAGE_SELF, &usage) != 0
            let unit = 1024
        #elseif canImport(Musl)
            let failed = getrusage(RUSAGE_SELF, &usage) != 0
            let unit = 1024
        #else
            let failed = getrusage(RUSAGE_SELF, &usage) != 0
            let unit = 1
        #endif
        return failed ? 0 : Int(usage.ru_maxrss) * unit
    }
}
