use netlink_packet_core::NLM_F_CREATE;
use netlink_packet_netfilter::nftables::{
    ListAttribute, NfTablesMessage, SetElementAttribute, SetElementList, SetElementMessage,
};

use crate::fast::Key;
use crate::kernel::names::{FAST_MAPS, TABLE};
use crate::kernel::nft_socket::Part;

/// A change of a set or map of decider's table.
pub enum Change {
    Add(&'static str, Vec<Item>),
    Remove(&'static str, Vec<Item>),
    Flush(&'static str),
}

/// An element as the kernel takes it.
pub type Item = Vec<SetElementAttribute>;

impl From<Change> for Part {
    fn from(change: Change) -> Self {
        match change {
            Change::Add(set, items) => {
                Self { message: NfTablesMessage::NewSetElement(body(set, items)), flags: NLM_F_CREATE }
            }
            Change::Remove(set, items) => removal(set, items),
            Change::Flush(set) => removal(set, vec![]),
        }
    }
}

/// Without items, all that there are.
fn removal(set: &str, items: Vec<Item>) -> Part {
    Part { message: NfTablesMessage::DeleteSetElement(body(set, items)), flags: 0 }
}

fn body(set: &str, items: Vec<Item>) -> SetElementMessage {
    let mut attributes = vec![SetElementList::Table(TABLE.to_owned()), SetElementList::Set(set.to_owned())];
    if !items.is_empty() {
        let items = items.into_iter().map(ListAttribute::Element).collect::<Vec<_>>();
        attributes.push(SetElementList::Elements(items));
    }
    SetElementMessage { attributes }
}

/// A change of each family's map that there is something for.
pub fn in_families<T>(
    all: &[T],
    key_of: impl Fn(&T) -> Key,
    item: impl Fn(&T) -> Item,
    change: impl Fn(&'static str, Vec<Item>) -> Change,
) -> Vec<Change> {
    let mut families = [vec![], vec![]];
    for one in all {
        let [v4, v6] = &mut families;
        if key_of(one).dst.is_ipv4() { v4.push(item(one)) } else { v6.push(item(one)) }
    }
    let filled = FAST_MAPS.into_iter().zip(families).filter(|(_, items)| !items.is_empty());
    filled.map(|(map, items)| change(map, items)).collect()
}
