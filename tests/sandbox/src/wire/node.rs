//! Reading and building stanzas.

use crate::clock;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{BinaryError, Node, NodeContent, OwnedNodeRef};

/// The server's own address.
pub(crate) const SERVER: &str = "s.whatsapp.net";

pub(crate) fn decode(plaintext: &[u8]) -> Result<Node, BinaryError> {
    let unpacked = wacore_binary::util::unpack(plaintext)?.into_owned();
    Ok(OwnedNodeRef::new(unpacked)?.to_owned_node())
}

pub(crate) fn encode(node: &Node) -> Result<Vec<u8>, BinaryError> {
    wacore_binary::marshal(node)
}

pub(crate) fn attr(node: &Node, name: &str) -> Option<String> {
    node.attrs
        .get(name)
        .map(|value| value.as_str().into_owned())
}

pub(crate) fn has(node: &Node, name: &str, value: &str) -> bool {
    node.attrs.get(name).is_some_and(|found| found == value)
}

pub(crate) fn child<'a>(node: &'a Node, tag: &str) -> Option<&'a Node> {
    node.get_optional_child(tag)
}

pub(crate) fn children(node: &Node) -> &[Node] {
    node.children().unwrap_or_default()
}

pub(crate) fn first_child(node: &Node) -> Option<&Node> {
    children(node).first()
}

/// A node's content as bytes; an empty slice when it has none.
pub(crate) fn bytes(node: &Node) -> &[u8] {
    match &node.content {
        Some(NodeContent::Bytes(bytes)) => bytes,
        Some(NodeContent::String(text)) => text.as_bytes(),
        _ => &[],
    }
}

pub(crate) fn child_bytes<'a>(node: &'a Node, tag: &str) -> Option<&'a [u8]> {
    child(node, tag).map(bytes)
}

/// A big-endian number of one to four bytes.
pub(crate) fn number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    Some(
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u32::from(*byte)),
    )
}

/// The three bytes in which WhatsApp sends a prekey's id.
pub(crate) fn three_bytes(number: u32) -> Vec<u8> {
    number.to_be_bytes()[1..].to_vec()
}

pub(crate) fn leaf(tag: &'static str, content: impl Into<Vec<u8>>) -> Node {
    NodeBuilder::new(tag).bytes(content).build()
}

pub(crate) fn parent(tag: &'static str, children: impl IntoIterator<Item = Node>) -> Node {
    NodeBuilder::new(tag).children(children).build()
}

/// The positive answer to a client's query.
pub(crate) fn result(query: &Node, children: Vec<Node>) -> Node {
    answer(query, "result", children)
}

/// A refusal, with the attributes of its `<error>`.
pub(crate) fn refusal(query: &Node, code: u16, text: &str) -> Node {
    let error = NodeBuilder::new("error")
        .attr("code", code)
        .attr("text", text)
        .build();
    answer(query, "error", vec![error])
}

/// An answer to `query`: WhatsApp stamps it with its own time.
pub(crate) fn answer(query: &Node, kind: &'static str, children: Vec<Node>) -> Node {
    let mut builder = NodeBuilder::new("iq")
        .attr("from", SERVER)
        .attr("type", kind)
        .attr("t", clock::unix())
        .attr("id", attr(query, "id").unwrap_or_default());
    if !children.is_empty() {
        builder = builder.children(children);
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_survives_the_wire() {
        let query = NodeBuilder::new("iq").attr("id", "7.1").build();
        let sent = result(&query, vec![leaf("value", [1, 2, 3])]);
        let got = decode(&encode(&sent).expect("encodes")).expect("decodes");
        assert!(has(&got, "type", "result") && has(&got, "id", "7.1"));
        assert!(has(&got, "from", SERVER));
        assert_eq!(child_bytes(&got, "value"), Some(&[1, 2, 3][..]));
    }

    #[test]
    fn numbers_of_any_width() {
        assert_eq!(number(&[0, 1, 2]), Some(258));
        assert_eq!(number(&three_bytes(258)), Some(258));
        assert_eq!(number(&[]), None);
        assert_eq!(number(&[1; 5]), None);
    }

    #[test]
    fn rubbish_is_an_error() {
        assert!(decode(&[]).is_err());
        assert!(decode(&[0, 0xff, 0xff]).is_err());
    }
}
