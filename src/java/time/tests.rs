//! What Java 17 makes of patterns and texts, odd ones among them.

use super::{Moment, Pattern, Zone};

/// The instant in milliseconds that a text is, or why it is none.
fn read(pattern: &str, text: &str, zone: &str) -> String {
    let zone = Zone::of(zone).unwrap();
    let read = Pattern::parse(pattern).and_then(|pattern| pattern.read(text, true));
    let millis = read.and_then(|fields| fields.timestamp(&zone));
    millis.map_or_else(|fault| fault.to_string(), |millis| millis.to_string())
}

/// The text of an instant in Paris, or why it has none.
fn format(pattern: &str) -> String {
    let moment = Moment::instant(1_709_208_245_123, Zone::of("Europe/Paris").unwrap());
    let text = Pattern::parse(pattern).and_then(|pattern| pattern.format(&moment));
    text.unwrap_or_else(|fault| fault.to_string())
}

fn no_text(text: &str, fault: &str) -> String {
    format!("Text '{text}' could not be parsed: {fault}")
}

#[test]
fn numbers_beyond_their_limits_are_refused() {
    let huge = "9223372036854775807";
    let long = |field: &str, range: &str, text: &str| {
        no_text(text, &format!("Invalid value for {field} (valid values {range}): {text}"))
    };
    let cases = [
        ("g", huge, long("ModifiedJulianDay", "-365243178575 - 365241821058", huge)),
        ("A", huge, long("MilliOfDay", "0 - 86399999", huge)),
        ("N", huge, long("NanoOfDay", "0 - 86399999999999", huge)),
        ("n", huge, long("NanoOfSecond", "0 - 999999999", huge)),
        ("u-M-d", "999999999-1-1", "long overflow".to_owned()),
        ("Y-w-e", "999999999-1-1", "long overflow".to_owned()),
        (
            "u-M-d",
            "1000000000-1-1",
            no_text(
                "1000000000-1-1",
                "Invalid value for Year (valid values -999999999 - 999999999): 1000000000",
            ),
        ),
        ("Y-w-e", "2147483648-1-1", no_text("2147483648-1-1", "integer overflow")),
        ("d", "32", "Invalid value for DayOfMonth (valid values 1 - 28/31): 32".to_owned()),
        ("a h", "5 3", "Text '5 3' could not be parsed at index 0".to_owned()),
        (
            "uuuu-MM-dd XXX",
            "2024-02-29 +19:00",
            "Zone offset not in valid range: -18:00 to +18:00".to_owned(),
        ),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(read(pattern, text, "UTC"), expected, "{pattern} {text}");
    }
}

#[test]
fn texts_are_read_as_java_reads_them() {
    let cases = [
        ("yyyy-MM-dd HH:mm", "2024-02-31 24:00", "UTC", "1709251200000"),
        ("w YYYY e", "9 2024 5", "UTC", "1709164800000"),
        ("h a", "12 am", "UTC", "0"),
        ("uuuu-MM-dd VV", "2024-02-29 europe/paris", "UTC", "1709161200000"),
        (
            "uuuu-MM-dd z",
            "2024-02-29 Nepal",
            "UTC",
            "Text '2024-02-29 Nepal' could not be parsed at index 11",
        ),
        ("uuuu-MM-dd zzzz", "2024-02-29 nepal time", "UTC", "1709144100000"),
        ("uuuu-MM-dd z", "2024-02-29 GMT+05:30", "UTC", "1709145000000"),
        ("yyyy-MM-dd HH:mm", "2024-03-31 02:30", "Europe/Paris", "1711848600000"),
        // There was no 30 December 2011 in Samoa, and Java then loses a week.
        ("yyyy-MM-dd", "2011-12-30", "Pacific/Apia", "1324720800000"),
        ("S", "12345", "UTC", "Text '12345' could not be parsed, unparsed text found at index 1"),
        ("H", "9😀", "UTC", "Text '9😀' could not be parsed, unparsed text found at index 1"),
        ("''😀H", "'😀x", "UTC", "Text ''😀x' could not be parsed at index 3"),
    ];
    for (pattern, text, zone, expected) in cases {
        assert_eq!(read(pattern, text, zone), expected, "{pattern} {text}");
    }
    let long = "x".repeat(100);
    let expected = format!("Text '{}...' could not be parsed at index 0", &long[..64]);
    assert_eq!(read("yyyy", &long, "UTC"), expected);
}

#[test]
fn patterns_of_any_length_are_taken_or_refused() {
    let many = |c: char| c.to_string().repeat(70_000);
    let width = "The minimum width must be from 1 to 19 inclusive but was 70000";
    for letter in ['u', 'y', 'A', 'n', 'N', 'g'] {
        assert_eq!(format(&many(letter)), width, "{letter}");
    }
    for letter in ['D', 'd', 'H', 'M', 'E', 'G', 'z', 'X'] {
        assert_eq!(format(&many(letter)), format!("Too many pattern letters: {letter}"));
    }
    assert_eq!(format(&many('S')), "Minimum width must be from 0 to 9 inclusive but was 70000");
    assert_eq!(format(&many('Y')), format!("{}2024", "0".repeat(69_996)));
    assert_eq!(format(&format!("{}d", many('p'))), format!("{}29", " ".repeat(69_998)));
    assert_eq!(format(&many('.')), many('.'));
    assert_eq!(format("yyyyyyyyyyyyyyy"), "Index 15 out of bounds for length 11");
    assert_eq!(format("pp-"), "Pad letter 'p' must be followed by valid pad pattern: pp-");
}

#[test]
fn brackets_are_nested_only_so_deeply() {
    assert_eq!(format(&format!("{}d{}", "[".repeat(200), "]".repeat(200))), "29");
    assert_eq!(read(&format!("{}H", "[".repeat(200)), "7", "UTC"), "25200000");
    for depth in [201, 70_000] {
        assert_eq!(format(&"[".repeat(depth)), "java.lang.StackOverflowError");
    }
}
