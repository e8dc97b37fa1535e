//! What joins do, story by story.

use super::*;
use crate::types::WindowKind;

#[test]
fn rows_of_one_key_that_lie_close_enough_are_joined() {
    check(
        Shape { before_ms: 5, after_ms: 10, ..Shape::of(JoinKind::Inner, None) },
        "this  A a @20 => nothing
         other A b @15 => A A+b @20
         other A c @30 => A A+c @30
         other A d @14 => nothing
         other A e @31 => nothing
         other B f @20 => nothing
         this  A g @21 => A g+C @30, A g+E @31",
    );
}

/// What was kept has gone through its format: the store of these stories writes in capitals.
#[test]
fn duplicates_are_joined_each_in_the_order_of_their_times() {
    check(
        Shape::of(JoinKind::Inner, None),
        "this  A a @20 => nothing
         this  A b @20 => nothing
         this  A a @20 => nothing
         this  A c @18 => nothing
         other A x @19 => A C+x @19, A A+x @20, A B+x @20, A A+x @20",
    );
}

#[test]
fn a_left_join_without_grace_gives_a_row_alone_at_once() {
    check(
        Shape::of(JoinKind::Left, None),
        "this  A a @20 => A a+- @20
         other A x @25 => A A+x @25
         other B y @25 => nothing
         this  B b @26 => B b+Y @26",
    );
}

#[test]
fn a_full_join_without_grace_gives_rows_of_both_sides_alone() {
    check(
        Shape::of(JoinKind::Full, None),
        "this  A a @20 => A a+- @20
         other B x @25 => B -+x @25
         other A y @31 => A -+y @31
         this  A b @22 => A b+Y @31",
    );
}

#[test]
fn with_grace_a_row_waits_until_its_time_is_over() {
    let story = check(
        Shape::of(JoinKind::Left, Some(5)),
        "this  A a @20 => nothing
         this  B b @21 => nothing
         other B x @30 => B B+x @30
         other C y @35 => nothing
         other C z @36 => A A+- @20",
    );
    let waiting: Vec<_> = story.given.changes.iter().filter(|change| change.store == 2).collect();
    let records: Vec<_> = waiting.iter().map(|change| (&*change.key, change.time_ms)).collect();
    let (a, b) = (&b"\0\0\0\0\0\0\0\x14\x01A"[..], &b"\0\0\0\0\0\0\0\x15\x01B"[..]);
    assert_eq!(records, [(a, 20), (b, 21), (b, 30), (a, 36)]);
    assert_eq!(waiting[0].value.as_deref(), Some(&b"\x01\0\0\0\x01\0\0\0\x02\x01a"[..]));
    assert_eq!((&waiting[2].value, &waiting[3].value), (&None, &None));
}

/// Of one time, those of the other side come first.
#[test]
fn rows_that_waited_come_by_time_then_side_then_key() {
    check(
        Shape::of(JoinKind::Full, Some(5)),
        "this  C a @20 => nothing
         this  B b @20 => nothing
         this  B c @20 => nothing
         other D x @20 => nothing
         other E y @19 => nothing
         this  F z @90 => E -+Y @19, D -+X @20, B B+- @20, B C+- @20, C A+- @20",
    );
}

#[test]
fn a_row_whose_time_is_over_already_does_not_wait() {
    check(
        Shape::of(JoinKind::Left, Some(5)),
        "this  A a @50 => nothing
         this  A b @39 => A b+- @39
         this  A c @40 => nothing
         other A x @50 => A C+x @50, A A+x @50",
    );
}

/// As ksqlDB's: a row that was given alone is still kept, and found by a late row.
#[test]
fn a_row_may_be_given_alone_and_joined_later() {
    check(
        Shape::of(JoinKind::Left, Some(5)),
        "this  A a @50 => nothing
         other B x @66 => A A+- @50
         other A y @55 => A A+y @55",
    );
}

#[test]
fn a_row_is_found_as_long_as_it_is_kept() {
    check(
        Shape::of(JoinKind::Inner, Some(5)),
        "this  A a @50 => nothing
         this  B b @74 => nothing
         other A x @45 => A A+x @50
         this  B c @75 => nothing
         other A y @45 => nothing",
    );
}

#[test]
fn rows_that_waited_are_looked_through_once_a_second() {
    check(
        Shape::of(JoinKind::Left, Some(5)),
        "clock @5000
         this  A a @10 => nothing
         this  B b @40 => A A+- @10
         this  C c @80 => nothing
         clock @5999
         this  C d @81 => nothing
         clock @6000
         this  C e @82 => B B+- @40
         clock @9000
         this  C f @120 => C C+- @80, C D+- @81, C E+- @82
         this  C g @199 => C F+- @120",
    );
}

/// A record out of order moves no time, and nothing is looked through.
#[test]
fn rows_wait_for_a_record_that_moves_stream_time() {
    check(
        Shape::of(JoinKind::Left, Some(5)),
        "this  A a @10 => nothing
         this  B null @99 => nothing
         this  B b @30 => A A+- @10
         clock @1000
         this  B c @29 => nothing
         this  B d @46 => B C+- @29, B B+- @30",
    );
}

#[test]
fn a_row_without_key_or_value_is_passed_over() {
    let story = check(
        Shape::of(JoinKind::Full, None),
        "this  null a @20 => nothing
         this  A null @20 => nothing
         other A x @20 => A -+x @20
         this  A b @20 => A b+X @20",
    );
    assert_eq!(story.given.dropped, [Dropped::NullKey, Dropped::NullValue]);
    let logged = |key: &[u8], value: Option<&[u8]>, store| Logged {
        store,
        key: key.to_vec(),
        value: value.map(<[u8]>::to_vec),
        time_ms: 20,
    };
    let expected = [
        logged(b"A\0\0\0\0\0\0\0\x14\0\0\0\x01", None, 0),
        logged(b"A\0\0\0\0\0\0\0\x14\0\0\0\x01", Some(b"x"), 1),
        logged(b"A\0\0\0\0\0\0\0\x14\0\0\0\x02", Some(b"b"), 0),
    ];
    assert_eq!(story.given.changes, expected);
}

/// The column of a key of its own stands last, and is never filled, as in ksqlDB.
#[test]
fn a_right_join_has_its_sides_exchanged() {
    let mut story = Story::new(StreamStreamJoin {
        is_exchanged: true,
        appends_key: true,
        ..Shape::of(JoinKind::Left, None).join(0)
    });
    let record = |side, value: &str| Record {
        side,
        key: Some("A".into()),
        value: Some(value.into()),
        time_ms: 5,
    };
    assert_eq!(story.process(&[record(JoinSide::This, "right")]), ["A -+right+- @5"]);
    assert_eq!(story.process(&[record(JoinSide::Other, "left")]), ["A left+RIGHT+- @5"]);
}

#[test]
fn a_join_that_was_restored_goes_on() {
    let shape = Shape::of(JoinKind::Left, Some(5));
    let story = check(
        shape,
        "other A x @50 => nothing
         this  B b @51 => nothing
         this  A null @51 => nothing",
    );
    let mut story = story.restored(shape.join(1_000));
    let record = |side, key: &str, time_ms| Record {
        side,
        key: Some(key.into()),
        value: Some("v".into()),
        time_ms,
    };
    assert_eq!(story.join.store(0).map(|store| store.rows()), Some(1));
    // Stream time is 51, so that a row of 40 waits no more.
    assert_eq!(story.process(&[record(JoinSide::This, "C", 40)]), ["C v+- @40"]);
    let number = story.given.changes.last().and_then(|change| change.key.last().copied());
    assert_eq!(number, Some(3));
    assert_eq!(story.process(&[record(JoinSide::This, "A", 40)]), ["A v+X @50"]);
    assert_eq!(story.process(&[record(JoinSide::Other, "D", 67)]), ["B B+- @51"]);
    (0..3).for_each(|nth| story.join.store(nth).expect("a store").clear());
    assert_eq!(story.process(&[record(JoinSide::This, "A", 1)]), Vec::<String>::new());
}

#[test]
fn a_result_has_the_headers_of_the_record_that_gives_it() {
    let mut story = Story::new(Shape::of(JoinKind::Left, Some(5)).join(0));
    let mut process = |side, key: &str, time_ms, header| {
        let record = Record { side, key: Some(key.into()), value: Some("v".into()), time_ms };
        let (records, headers) = ([record], [(header, None)]);
        let mut rows = batch(&records);
        rows.meta.headers = Some(vec![&headers[..]]);
        story.process_rows(side, rows)
    };
    assert_eq!(process(JoinSide::This, "A", 5, "first"), Vec::<String>::new());
    assert_eq!(process(JoinSide::This, "B", 6, "second"), Vec::<String>::new());
    assert_eq!(process(JoinSide::Other, "A", 7, "third"), ["A V+v @7 third"]);
    assert_eq!(process(JoinSide::Other, "C", 70, "fourth"), ["B V+- @6 fourth"]);
}

/// Rows of one key and another window are not joined; one that waited gets its window back.
#[test]
fn keys_with_windows_are_joined_by_both() {
    let check = |kind, size_ms, bytes: &[u8]| {
        let mut join = Shape::of(JoinKind::Left, Some(5)).join(0);
        join.keys.window = Some(plan::SourceWindow { kind, size_ms });
        let mut story = Story::new(join);
        let mut process = |side, time_ms, (start, end)| {
            let (key, value) = (Some("A".into()), Some("v".into()));
            let records = [Record { side, key, value, time_ms }];
            let mut rows = batch(&records);
            let window = Window { start: Timestamp(start), end: Timestamp(end) };
            rows.meta.windows = Some(vec![window]);
            story.process_rows(side, rows)
        };
        assert_eq!(process(JoinSide::This, 5, (0, 10)), Vec::<String>::new());
        assert_eq!(process(JoinSide::This, 6, (2, 12)), Vec::<String>::new());
        assert_eq!(process(JoinSide::Other, 7, (0, 10)), ["A V+v @7 [0,10]"]);
        assert_eq!(process(JoinSide::Other, 70, (0, 10)), ["A V+- @6 [2,12]"]);
        assert_eq!(story.given.changes[1].key, bytes);
    };
    let number = b"\0\0\0\0\0\0\0\x05\0\0\0\x01";
    let start = b"\0\0\0\0\0\0\0\0";
    let end = b"\0\0\0\0\0\0\0\x0a";
    check(WindowKind::Hopping, Some(10), &[b"A", &start[..], number].concat());
    check(WindowKind::Session, None, &[b"A", &end[..], start, number].concat());
}
