//! Groups against a plain map of what they hold.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::state::pack;
use crate::types::{Arena, OwnedValue};

/// What a group is expected to hold.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    key: Vec<OwnedValue>,
    kept: Vec<OwnedValue>,
    states: Vec<State>,
    head: GroupHead,
    window: Option<Window>,
}

/// What is done with the group of a key.
#[derive(Clone, Debug)]
enum Step {
    Insert { window: Option<i64>, kept: Vec<OwnedValue>, states: Vec<State> },
    Keep(Vec<OwnedValue>),
    Update(Vec<State>),
    SetHead(GroupHead),
    Remove,
}

fn packed(values: &[OwnedValue]) -> Vec<u8> {
    let (arena, mut bytes) = (Arena::new(), Vec::new());
    for value in values {
        pack(value.as_value(&arena), &mut bytes);
    }
    bytes
}

fn read(mut values: PackedValues<'_>) -> Vec<OwnedValue> {
    let mut read = Vec::new();
    while !values.is_empty() {
        read.push(values.next_owned());
    }
    read
}

/// Keys of a few bytes and of many, some of which begin alike.
fn key(number: u16) -> Vec<u8> {
    let mut key = vec![b'k'; usize::from(number % 7) * 40];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

fn a_value() -> impl Strategy<Value = OwnedValue> {
    prop_oneof![
        Just(OwnedValue::Null),
        any::<i64>().prop_map(OwnedValue::Bigint),
        any::<f64>().prop_map(OwnedValue::Double),
        "[a-zé]{0,40}".prop_map(|text| OwnedValue::String(text.into())),
        Just(OwnedValue::Array(vec![OwnedValue::Int(1), OwnedValue::Null])),
    ]
}

fn a_state() -> impl Strategy<Value = State> {
    prop_oneof![
        a_value().prop_map(State::Value),
        (any::<i64>(), prop_oneof![Just(0.0), Just(1.5)]).prop_map(|(sum, m2)| State::Whole {
            sum,
            count: 1,
            m2
        }),
        (any::<i64>(), "[a-z]{0,40}").prop_map(|(number, text)| {
            State::NumberedText { number, text: Some(text.as_str().into()) }
        }),
        (any::<i64>(), a_value()).prop_map(|entry| State::Numbered(Box::new(entry))),
        prop::collection::vec((any::<i64>(), a_value()), 0..4).prop_map(State::NumberedList),
    ]
}

fn a_step() -> impl Strategy<Value = Step> {
    let values = || prop::collection::vec(a_value(), 0..3);
    let states = || prop::collection::vec(a_state(), 0..4);
    let head = (any::<i64>(), any::<bool>(), any::<bool>());
    prop_oneof![
        4 => (prop::option::of(any::<i64>()), values(), states())
            .prop_map(|(window, kept, states)| Step::Insert { window, kept, states }),
        2 => values().prop_map(Step::Keep),
        2 => states().prop_map(Step::Update),
        1 => head.prop_map(|(timestamp_ms, exists, is_stored)| {
            Step::SetHead(GroupHead { timestamp_ms, exists, is_stored })
        }),
        1 => Just(Step::Remove),
    ]
}

fn window(start: i64) -> Window {
    Window { start: Timestamp(start), end: Timestamp(start.saturating_add(10)) }
}

/// Does a step with both.
fn follow(store: &mut GroupStore, models: &mut HashMap<u16, Model>, number: u16, step: Step) {
    let store_key = key(number);
    let found = store.find(&store_key);
    assert_eq!(found.is_some(), models.contains_key(&number));
    let Some(slot) = found else {
        let Step::Insert { window: start, kept, states } = step else { return };
        let (number_column, text) = (OwnedValue::Int(number.into()), store_key.as_slice().into());
        // The last two end as the store key does.
        let columns = match number % 3 {
            0 => vec![number_column],
            1 => vec![OwnedValue::Bytes(text)],
            _ => vec![number_column, OwnedValue::Bytes(text)],
        };
        let window = start.map(window);
        let bytes = (packed(&columns), packed(&kept));
        let values = GroupValues { key: &bytes.0, window, kept: &bytes.1 };
        store.insert(&store_key, values, &mut states.clone());
        let head = GroupHead::default();
        models.insert(number, Model { key: columns, kept, states, head, window });
        return;
    };
    let Some(model) = models.get_mut(&number) else { return };
    match step {
        Step::Insert { .. } => {}
        Step::Keep(kept) => {
            store.set_kept(slot, &packed(&kept));
            model.kept = kept;
        }
        Step::Update(states) => {
            let mut taken = Vec::new();
            let are_moved = store.take_states(slot, &mut taken);
            assert_eq!(taken, model.states);
            if !are_moved {
                let mut again = Vec::new();
                store.take_states(slot, &mut again);
                assert_eq!(again, taken);
            }
            store.put_states(slot, &mut states.clone());
            model.states = states;
        }
        Step::SetHead(head) => {
            store.set_head(slot, head);
            model.head = head;
        }
        Step::Remove => {
            store.remove(slot);
            assert_eq!((store.key(slot), store.head(slot)), (&[][..], GroupHead::default()));
            models.remove(&number);
        }
    }
}

/// What the store holds under a key.
fn held(store: &mut GroupStore, slot: u32) -> Model {
    let mut states = Vec::new();
    store.take_states(slot, &mut states);
    store.put_states(slot, &mut states.clone());
    Model {
        key: read(store.key_values(slot)),
        kept: read(store.kept(slot)),
        states,
        head: store.head(slot),
        window: store.window(slot),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn groups_hold_what_was_put_into_them(
        steps in prop::collection::vec((0..24_u16, a_step()), 0..200)
    ) {
        let (mut store, mut models) = (GroupStore::default(), HashMap::new());
        for (number, step) in steps {
            follow(&mut store, &mut models, number, step);
        }
        prop_assert_eq!((store.len(), store.is_empty()), (models.len(), models.is_empty()));
        let keys: Vec<_> = (0..24).map(key).collect();
        let slots = store.find_all(keys.iter().map(Vec::as_slice));
        for (number, slot) in (0..24).zip(slots) {
            prop_assert_eq!(slot, store.find(&keys[usize::from(number)]));
            let held = slot.map(|slot| held(&mut store, slot));
            prop_assert_eq!(held.as_ref(), models.get(&number));
        }
    }
}

#[test]
fn a_slot_stays_with_its_group_while_many_come_and_go() {
    let mut store = GroupStore::default();
    let none = GroupValues { key: &[], window: None, kept: &[] };
    let mut states = [State::Value(OwnedValue::Bigint(1))];
    for number in 0..5_000_u16 {
        assert_eq!(store.insert(&key(number), none, &mut states), u32::from(number));
    }
    for number in (0..5_000).step_by(2) {
        store.remove(number);
    }
    assert_eq!((store.len(), store.find(&key(4))), (2_500, None));
    for number in 5_000..7_500_u16 {
        assert!(store.insert(&key(number), none, &mut states) < 5_000);
    }
    assert_eq!(store.len(), 5_000);
    for number in (1..5_000_u16).step_by(2) {
        assert_eq!(store.find(&key(number)), Some(u32::from(number)));
    }
    store.clear();
    assert!(store.is_empty() && store.find(&key(1)).is_none());
}

#[test]
fn a_change_that_needs_no_more_room_is_written_over() {
    let mut store = GroupStore::default();
    let values = GroupValues { key: b"", window: None, kept: b"abc" };
    let slot = store.insert(b"key", values, &mut [State::Value(OwnedValue::Bigint(1))]);
    let at = store.bytes(slot).as_ptr();
    store.put_states(slot, &mut [State::Value(OwnedValue::Bigint(2))]);
    store.set_kept(slot, b"xyz");
    assert_eq!((store.bytes(slot).as_ptr(), std::mem::size_of::<Group>()), (at, 24));
}
