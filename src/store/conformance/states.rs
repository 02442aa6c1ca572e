//! Values that processes share.

use serde_json::json;

use crate::error::Code;
use crate::store::JobStore;

pub async fn a_shared_state_is_replaced_only_by_who_knows_it(store: &dyn JobStore) {
    assert!(store.states("", 0).await.unwrap().is_empty());
    assert!(store.set_state("breaker/a", 0, json!({ "n": 1 }), 10).await.unwrap());
    assert!(!store.set_state("breaker/a", 0, json!({ "n": 2 }), 11).await.unwrap());
    assert!(!store.set_state("breaker/a", 2, json!({ "n": 2 }), 11).await.unwrap());
    assert!(!store.set_state("breaker/none", 1, json!(1), 11).await.unwrap());
    assert!(store.set_state("breaker/a", 1, json!({ "n": 3 }), 20).await.unwrap());
    assert!(
        store
            .set_state("breaker/b\u{e9}%_", 0, json!("text"), 30)
            .await
            .unwrap()
    );
    assert!(store.set_state("other", 0, json!(null), 30).await.unwrap());
    let states = store.states("breaker/", 50).await.unwrap();
    let seen: Vec<_> = states
        .iter()
        .map(|state| (state.key.as_str(), state.version, state.age))
        .collect();
    assert_eq!(seen, [("breaker/a", 2, 30), ("breaker/b\u{e9}%_", 1, 20)]);
    assert_eq!(states[0].value, json!({ "n": 3 }));
    assert_eq!(store.states("breaker/b", 50).await.unwrap().len(), 1);
    assert!(store.states("BREAKER", 50).await.unwrap().is_empty());
}

pub async fn writers_of_one_state_at_once_leave_one_winner(store: &dyn JobStore) {
    let writes = (0..20).map(|n| store.set_state("breaker/a", 0, json!(n), 1));
    let won: Vec<bool> = futures_util::future::try_join_all(writes).await.unwrap();
    let winners: Vec<usize> = (0..20).filter(|n| won[*n]).collect();
    assert_eq!(winners.len(), 1, "{won:?}");
    assert_eq!(store.states("", 1).await.unwrap()[0].value, json!(winners[0]));
}

pub async fn a_shared_state_has_bounds(store: &dyn JobStore) {
    for (key, value) in [
        (String::new(), json!(1)),
        ("k".repeat(2_000), json!(1)),
        ("k\0".to_owned(), json!(1)),
        ("k".to_owned(), json!("v".repeat(1 << 20))),
    ] {
        let error = store.set_state(&key, 0, value, 1).await.unwrap_err();
        assert_eq!(error.code(), Code::OptionInvalid);
    }
    let text = "\0 \u{1f600} \"";
    assert!(store.set_state("k", 0, json!({ text: text }), 1).await.unwrap());
    assert_eq!(store.states("k", 1).await.unwrap()[0].value, json!({ text: text }));
}
