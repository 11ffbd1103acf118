//! A disk that is nearly full, for anybody: no file may grow beyond a size.

/// Writing beyond `bytes` fails from now on.
pub fn file_size(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: both calls take plain values; the structure outlives the call. Ignored, the signal becomes an error.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
    }
}
