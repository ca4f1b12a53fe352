#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the system says of the last call that failed.
func lastSystemError() -> String { String(cString: strerror(errno)) }
