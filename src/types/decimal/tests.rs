use num_traits::Zero;
use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn text_is_javas() {
    let cases = [
        ("0", "0", "0"),
        ("-0.0", "0.0", "0.0"),
        ("0E-10", "0E-10", "0.0000000000"),
        ("0.000001", "0.000001", "0.000001"),
        ("0.0000001", "1E-7", "0.0000001"),
        ("123E+2", "1.23E+4", "12300"),
        ("-12.30", "-12.30", "-12.30"),
        (".5", "0.5", "0.5"),
        ("1.", "1", "1"),
        ("+7e-1", "0.7", "0.7"),
        ("0E3", "0E+3", "0"),
        ("\u{661}\u{662}.\u{ff15}", "12.5", "12.5"),
    ];
    for (input, text, plain) in cases {
        assert_eq!(decimal(input).to_string(), text, "{input}");
        assert_eq!(decimal(input).quoted(), plain, "{input}");
    }
}

#[test]
fn what_is_no_number_is_refused_in_javas_words() {
    let wrong = |c: &str| {
        format!(
            "Character {c} is neither a decimal digit number, decimal point, nor \"e\" notation \
             exponential mark."
        )
    };
    let cases = [
        ("NaN", wrong("N")),
        ("-Infinity", wrong("I")),
        ("1.2.3", "Character array contains more than one decimal point.".into()),
        (".", "No digits found.".into()),
        ("1e", "Index 2 out of bounds for length 2".into()),
        ("", "Index 0 out of bounds for length 0".into()),
        ("-", "No digits found.".into()),
        ("e5", "No digits found.".into()),
        ("1ex", "Not a digit.".into()),
        (" 1", wrong(" ")),
        (
            "1234567890123456789x",
            "Character array is missing \"e\" notation exponential mark.".into(),
        ),
        ("1e99999999999", "Too many nonzero exponent digits.".into()),
        ("1e2147483648", "Exponent overflow.".into()),
        ("0.1e-2147483647", "Scale out of range.".into()),
    ];
    for (input, message) in cases {
        assert_eq!(Decimal::parse(input).map_err(|e| e.to_string()), Err(message), "{input}");
    }
}

#[test]
fn doubles_are_exact_or_as_printed() {
    let exact = |value| Decimal::from_f64_exact(value).map(|d| d.to_string());
    assert_eq!(
        exact(0.1).as_deref(),
        Some("0.1000000000000000055511151231257827021181583404541015625")
    );
    assert_eq!(exact(-2.5).as_deref(), Some("-2.5"));
    assert_eq!(exact(1e22).as_deref(), Some("10000000000000000000000"));
    assert_eq!(exact(f64::NAN), None);
}

#[test]
fn quotients_are_exact_or_fail() {
    let divide =
        |a: &str, b: &str, precision| decimal(a).divide(&decimal(b), precision).map(|d| d.quoted());
    assert_eq!(divide("1", "8", 10).as_deref(), Ok("0.125"));
    assert_eq!(divide("1.50", "0.3", 10).as_deref(), Ok("5.0"));
    assert_eq!(divide("1", "3", 100), Err(DecimalError::RoundingNecessary));
    assert_eq!(divide("1", "8", 2), Err(DecimalError::RoundingNecessary));
    assert_eq!(divide("1", "0", 9), Err(DecimalError::DivisionByZero));
    assert_eq!(divide("0.0", "0", 9), Err(DecimalError::DivisionUndefined));
}

#[test]
fn a_remainder_needs_a_quotient_that_fits() {
    let remainder = |a: &str, b: &str, precision| {
        decimal(a).remainder(&decimal(b), precision).map(|d| d.quoted())
    };
    assert_eq!(remainder("-7.5", "2", 5).as_deref(), Ok("-1.5"));
    assert_eq!(remainder("12345", "1", 3), Err(DecimalError::DivisionImpossible));
    assert_eq!(remainder("12000", "1", 3).as_deref(), Ok("0"));
    assert_eq!(remainder("1", "0", 3), Err(DecimalError::DivisionByZero));
}

#[test]
fn casts_check_the_range_before_they_round() {
    let cast = |text: &str, precision, scale| {
        decimal(text).cast(precision, scale).map(|d| d.quoted()).map_err(|e| e.to_string())
    };
    assert_eq!(cast("99.99", 3, 1).as_deref(), Ok("100.0"));
    assert_eq!(cast("2.345", 4, 2).as_deref(), Ok("2.35"));
    assert_eq!(
        cast("-100", 3, 1).as_ref().map_err(String::as_str),
        Err("Numeric field overflow: A field with precision 3 and scale 1 must round to an \
             absolute value less than 10^2. Got -100")
    );
}

#[test]
fn whole_parts_wrap() {
    assert_eq!(decimal("4294967297.9").to_i32(), 1);
    assert_eq!(decimal("-1.5").to_i64(), -1);
    assert_eq!(decimal("9223372036854775808").to_i64(), i64::MIN);
    assert_eq!(decimal("1E+70").to_i64(), 0);
    assert_eq!(decimal("1E-2147483647").to_i64(), 0);
    assert_eq!(decimal("12E2").to_i64(), 1200);
}

#[test]
fn hash_codes_are_javas() {
    assert_eq!(decimal("1.0").hash_code(), 311);
    assert_eq!(decimal("-12.34").hash_code(), -38_252);
    assert_eq!(decimal("12345678901234567890").hash_code(), -1_584_216_582);
}

#[test]
fn exponents_are_not_written_out_without_end() {
    let plain = |text: &str| decimal(text).to_plain_string().map(|plain| plain.len());
    assert_eq!(plain("1e70000"), Ok(70_001));
    assert_eq!(plain("-1e-70000"), Ok(70_003));
    for text in ["1e2147483647", "1e-2147483647", "0e-2147483647", "1e100001"] {
        assert_eq!(plain(text), Err(DecimalError::TooLarge), "{text}");
    }
    assert_eq!(plain("0e2147483647"), Ok(1));
    assert_eq!(decimal("1e-2147483647").quoted(), "1E-2147483647");
}

#[test]
fn numbers_far_apart_are_not_brought_together() {
    let (one, huge, tiny) = (decimal("1"), decimal("1e2147483647"), decimal("1e-2147483647"));
    for far in [&huge, &tiny] {
        assert_eq!(one.add(far), Err(DecimalError::RoundingNecessary));
        assert_eq!(far.subtract(&one), Err(DecimalError::RoundingNecessary));
        assert_eq!(one.remainder(far, 10), Err(DecimalError::TooLarge));
        assert_eq!(far.add(&decimal("0")).as_ref(), Ok(far));
        assert_eq!(far.multiply(&one).as_ref(), Ok(far));
        assert_eq!(far.divide(&one, 10).as_ref(), Ok(far));
    }
    assert_eq!(huge.multiply(&huge), Err(DecimalError::ScaleOverflow));
    assert_eq!(tiny.multiply(&tiny), Err(DecimalError::Underflow));
    assert_eq!(tiny.divide(&huge, 10), Err(DecimalError::Underflow));
    assert_eq!(one.set_scale(700_000_000, Rounding::HalfUp), Err(DecimalError::TooLarge));
    assert!(tiny.set_scale(2, Rounding::HalfUp).is_ok_and(|d| d.is_zero()));
    assert!(huge.compare(&tiny).is_gt());
    let long = decimal(&"7".repeat(90_000));
    assert_eq!(long.divide(&long, 5), Ok(one.clone()));
    assert_eq!(
        long.multiply(&long).and_then(|square| square.multiply(&long)),
        Err(DecimalError::TooLarge)
    );
}

prop_compose! {
    fn small()(unscaled in -1_000_000_000_000_i64..1_000_000_000_000, scale in -3_i32..12) -> Decimal {
        Decimal::new(unscaled, scale)
    }
}

/// The value in units of 10^-12, by plain integers.
fn model(d: &Decimal) -> i128 {
    let unscaled = d.unscaled.to_i128().unwrap_or_default();
    unscaled * 10_i128.pow((12 - d.scale) as u32)
}

proptest! {
    #[test]
    fn sums_and_order_agree_with_integers(a in small(), b in small()) {
        prop_assert_eq!(a.add(&b).map(|sum| model(&sum)), Ok(model(&a) + model(&b)));
        prop_assert_eq!(a.subtract(&b).map(|sum| model(&sum)), Ok(model(&a) - model(&b)));
        prop_assert_eq!(a.compare(&b), model(&a).cmp(&model(&b)));
    }

    #[test]
    fn a_quotient_times_its_divisor_is_the_dividend(a in small(), b in small()) {
        prop_assume!(!b.unscaled.is_zero());
        if let Ok(quotient) = a.divide(&b, 60) {
            let back = quotient.multiply(&b);
            prop_assert!(back.is_ok_and(|back| back.compare(&a).is_eq()));
        }
        let remainder = a.remainder(&b, 60).unwrap_or_else(|_| Decimal::new(0, 0));
        prop_assert_eq!(model(&remainder), model(&a) % model(&b));
    }

    #[test]
    fn text_reads_back(a in small()) {
        prop_assert_eq!(&decimal(&a.to_string()), &a);
        prop_assert!(decimal(&a.quoted()).compare(&a).is_eq());
        prop_assert_eq!(a.to_f64(), a.quoted().parse::<f64>().unwrap_or(f64::NAN));
    }

    #[test]
    fn exact_doubles_go_back(value in any::<f64>()) {
        if let Some(exact) = Decimal::from_f64_exact(value) {
            prop_assert_eq!(exact.to_f64(), value);
        }
    }

    #[test]
    fn rounding_half_up_is_at_most_half_away(a in small(), scale in 0_i32..6) {
        let rounded = a.set_scale(scale, Rounding::HalfUp).unwrap_or_else(|_| a.clone());
        let off = (model(&rounded) - model(&a)).abs() * 2;
        prop_assert!(off <= 10_i128.pow((12 - scale) as u32));
    }
}
