use jiff::civil::{DateTime, Time};
use jiff::{Span, Timestamp, ZonedDateTime};

/// Why a text is no moment of the past.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinceError {
    /// It is none of the forms.
    #[error(
        "{0:?} is neither a time back from now (10m, 2h, 1d) nor a moment (2027-01-31T12:00:00Z, 2027-01-31 12:00, 12:00)"
    )]
    Unreadable(String),
    /// It is yet to come.
    #[error("{0} is yet to come: name a moment of the past")]
    Future(Timestamp),
}

/// The moment that is meant by `10m`, `2027-01-31T12:00:00Z`, `2027-01-31 12:00` or `12:00` (both in `now`'s time zone).
///
/// # Errors
/// If it is none of these, or later than `now`.
pub fn since(text: &str, now: &ZonedDateTime) -> Result<Timestamp, SinceError> {
    let moment = back(text, now).or_else(|| at(text, now)).ok_or_else(|| SinceError::Unreadable(text.to_owned()))?;
    if moment > now.timestamp() { Err(SinceError::Future(moment)) } else { Ok(moment) }
}

fn back(text: &str, now: &ZonedDateTime) -> Option<Timestamp> {
    let span: Span = text.parse().ok()?;
    now.checked_sub(span).ok().map(|moment| moment.timestamp())
}

fn at(text: &str, now: &ZonedDateTime) -> Option<Timestamp> {
    let zoned =
        |moment: DateTime| moment.to_zoned_datetime(now.time_zone().clone()).ok().map(|moment| moment.timestamp());
    // A time may be written `10` too; here that is as likely ten minutes.
    let of_today = || text.contains(':').then_some(text)?.parse::<Time>().ok().map(|time| now.date().to_datetime(time));
    text.parse().ok().or_else(|| text.parse().ok().or_else(of_today).and_then(zoned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_back_and_moments_are_read() {
        let now: ZonedDateTime = "2027-01-31T12:00:00+01:00[+01:00]".parse().unwrap();
        for (text, moment) in [
            ("10m", "2027-01-31T10:50:00Z"),
            ("90s", "2027-01-31T10:58:30Z"),
            ("1h30m", "2027-01-31T09:30:00Z"),
            ("1d", "2027-01-30T11:00:00Z"),
            ("0s", "2027-01-31T11:00:00Z"),
            ("2027-01-31T10:00:00Z", "2027-01-31T10:00:00Z"),
            ("2027-01-31T10:00:00+02:00", "2027-01-31T08:00:00Z"),
            ("2027-01-31 10:00", "2027-01-31T09:00:00Z"),
            ("2027-01-30", "2027-01-29T23:00:00Z"),
            ("10:00", "2027-01-31T09:00:00Z"),
        ] {
            assert_eq!(since(text, &now), Ok(moment.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_of_the_past_is_refused() {
        let now: ZonedDateTime = "2027-01-31T12:00:00+00:00[UTC]".parse().unwrap();
        for text in ["", "10", "soon", "10x", "2027-13-01", "25:00"] {
            assert_eq!(since(text, &now), Err(SinceError::Unreadable(text.to_owned())));
        }
        for text in ["-10m", "13:00", "2027-01-31T12:00:01Z"] {
            assert!(matches!(since(text, &now), Err(SinceError::Future(_))), "{text}");
        }
    }
}
