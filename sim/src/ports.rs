//! The ports of a Verilated model, read from its generated header.

/// One port as Verilator declares it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Port {
    /// Verilog name.
    pub(crate) name: String,
    /// Name of the C++ member.
    pub(crate) member: String,
    pub(crate) width: u32,
    /// As in include/model.h.
    pub(crate) direction: u32,
}

/// All ports in `header`, for example of `VL_IN8(&clock,0,0);`.
pub(crate) fn parse(header: &str) -> Vec<Port> {
    header
        .lines()
        .filter_map(|line| parse_line(line.trim()))
        .collect()
}

fn parse_line(line: &str) -> Option<Port> {
    let (kind, rest) = line.split_once('(')?;
    let direction = match kind
        .strip_prefix("VL_")?
        .trim_end_matches(|c: char| c.is_ascii_digit() || c == 'W')
    {
        "IN" => 0,
        "OUT" => 1,
        "INOUT" => 2,
        _ => return None,
    };
    let mut parts = rest.strip_suffix(");")?.split(',');
    let member = parts.next()?.strip_prefix('&')?.to_string();
    let (msb, lsb): (i64, i64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let width = u32::try_from((msb - lsb).abs() + 1).ok()?;
    Some(Port {
        name: verilog_name(&member),
        member,
        width,
        direction,
    })
}

/// Undoes Verilator's `__0hh` escapes: a C++ name in which each odd character of the Verilog name is a hexadecimal code.
fn verilog_name(member: &str) -> String {
    let mut name = String::new();
    let mut rest = member;
    while let Some(at) = rest.find("__0") {
        let code = rest
            .get(at + 3..at + 5)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let Some(code) = code else { break };
        name.push_str(&rest[..at]);
        name.push(char::from(code));
        rest = &rest[at + 5..];
    }
    name + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_all_sizes_are_read() {
        let header = "
            VL_IN8(&clock,0,0);
            VL_INW(&a___05Fwide,99,0,4);
            VL_OUT64(&value__0241,47,8);
            VL_OUT(&q,16,0);
            VL_IN8((&many)[4],0,0);";
        let port = |name: &str, member: &str, width, direction| Port {
            name: name.into(),
            member: member.into(),
            width,
            direction,
        };
        assert_eq!(
            parse(header),
            [
                port("clock", "clock", 1, 0),
                port("a__wide", "a___05Fwide", 100, 0),
                port("value$1", "value__0241", 40, 1),
                port("q", "q", 17, 1),
            ]
        );
    }
}
