//! Numbers as people read them.

/// `12,345`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 example`, `12,345 examples`.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// `once`, `3 times`.
pub fn times(n: f64) -> String {
    if n == 1.0 { "once".to_owned() } else { format!("{n} times") }
}

/// `740 MB`, `3.1 GB`: in thousands, as disks and task managers say it.
pub fn bytes(n: u64) -> String {
    let n = n as f64;
    if n < 1e9 { format!("{:.0} MB", n / 1e6) } else { format!("{:.1} GB", n / 1e9) }
}

/// `8 s`, `5 min`, `2.5 h`.
pub fn duration(secs: f64) -> String {
    if secs < 90.0 {
        format!("{secs:.0} s")
    } else if secs < 90.0 * 60.0 {
        format!("{:.0} min", secs / 60.0)
    } else {
        format!("{:.1} h", secs / 3600.0)
    }
}

/// `98 %`; never 100 unless it is all, never 0 unless it is none.
pub fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    let honest = match share {
        s if s >= 1.0 => 100.0,
        s if s <= 0.0 => 0.0,
        _ => rounded.clamp(1.0, 99.0),
    };
    format!("{honest:.0} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_say_them() {
        assert_eq!([count(0), count(999), count(1000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "step"), counted(2000, "step")], ["1 step", "2,000 steps"]);
        assert_eq!([times(1.0), times(3.0), times(0.5)], ["once", "3 times", "0.5 times"]);
        assert_eq!([bytes(740_200_000), bytes(3_140_000_000)], ["740 MB", "3.1 GB"]);
        assert_eq!([duration(8.2), duration(301.0), duration(9000.0)], ["8 s", "5 min", "2.5 h"]);
        assert_eq!(
            [percent(0.9999), percent(0.001), percent(1.0), percent(0.0)],
            ["99 %", "1 %", "100 %", "0 %"]
        );
    }
}
