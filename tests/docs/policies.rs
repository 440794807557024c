use crate::{decider, documents, markdown, said};

#[test]
fn policies_in_documents_pass_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for path in documents() {
        let document = std::fs::read_to_string(&path).unwrap();
        for block in markdown::blocks(&document) {
            if block.language != "yaml" || !block.text.contains("version: 1") {
                continue;
            }
            seen += 1;
            std::fs::write(folder.path().join("policy.yaml"), &block.text).unwrap();
            let output = decider(folder.path(), &["check", "policy.yaml"]);
            assert!(output.status.success(), "{}: {}", path.display(), said(&output));
        }
    }
    assert!(seen > 0, "no document has a policy");
}
