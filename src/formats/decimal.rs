//! Decimals that have to fit a column.

use crate::types::{Decimal, DecimalError, Rounding};

/// Reads a decimal. The error is the message of Java's exception, if that has one.
pub(super) fn read(text: &str) -> Result<Decimal, Option<String>> {
    Decimal::parse(text).map_err(|error| match error {
        DecimalError::Incomplete(_) => None,
        error => Some(error.to_string()),
    })
}

/// The decimal with the scale of a column, or ksqlDB's message if it does not fit.
pub(super) fn fit(decimal: &Decimal, precision: u32, scale: u32) -> Result<Decimal, String> {
    decimal.check_range(precision, scale).map_err(|error| error.to_string())?;
    decimal.set_scale(scale as i32, Rounding::Unnecessary).map_err(|error| match error {
        DecimalError::RoundingNecessary => format!(
            "Cannot fit decimal '{}' into DECIMAL({precision}, {scale}) without rounding. \
             (Requires {},{})",
            decimal.quoted(),
            decimal.precision(),
            decimal.scale
        ),
        error => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_fitted_without_rounding() {
        let fitted = |text| {
            let decimal = read(text).map_err(Option::unwrap_or_default)?;
            fit(&decimal, 4, 2).map(|decimal| decimal.to_string())
        };
        assert_eq!(fitted("1.5").unwrap(), "1.50");
        assert_eq!(fitted("1E1").unwrap(), "10.00");
        assert_eq!(fitted("1.500").unwrap(), "1.50");
        assert!(fitted("100").unwrap_err().starts_with("Numeric field overflow"));
        assert!(fitted("1.555").unwrap_err().starts_with("Cannot fit decimal '1.555'"));
    }

    #[test]
    fn numbers_of_any_size_are_refused_in_few_words() {
        let refused = |text| fit(&read(text).unwrap(), 6, 2).unwrap_err();
        assert_eq!(
            refused("1e7000"),
            format!(
                "Numeric field overflow: A field with precision 6 and scale 2 must round to an \
                 absolute value less than 10^4. Got 1{}",
                "0".repeat(7000)
            )
        );
        assert!(refused("1e70000").ends_with("less than 10^4. Got 1E+70000"));
        assert!(refused("-12e2147483647").ends_with("Got -1.2E+2147483648"));
        assert_eq!(
            refused("1e-2147483647"),
            "Cannot fit decimal '1E-2147483647' into DECIMAL(6, 2) without rounding. \
             (Requires 1,2147483647)"
        );
        assert_eq!(fit(&read("0e-2147483647").unwrap(), 6, 2).unwrap().to_string(), "0.00");
        assert_eq!(read("1e-2147483648"), Err(Some("Scale out of range.".to_owned())));
        let long = "7".repeat(1_000_000);
        assert_eq!(read(&long), Err(Some("BigInteger would overflow supported range".to_owned())));
    }
}
