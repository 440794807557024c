use object::write::{Object, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};

/// By this name the loader finds the program.
pub const PROGRAM: &str = "decider";
/// What the loader takes for a program of `tc`.
const SECTION: &[u8] = b"classifier";
const LICENCE: &[u8] = b"MIT\0";

/// An ELF object with one program, as the loader reads it; none if there can be none.
#[must_use]
pub fn object(code: &[u8]) -> Option<Vec<u8>> {
    let endianness = if cfg!(target_endian = "little") { Endianness::Little } else { Endianness::Big };
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Bpf, endianness);
    let section = object.add_section(vec![], SECTION.to_vec(), SectionKind::Text);
    let value = object.append_section_data(section, code, 8);
    object.add_symbol(Symbol {
        name: PROGRAM.into(),
        value,
        size: u64::try_from(code.len()).ok()?,
        kind: SymbolKind::Text,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
    let licence = object.add_section(vec![], b"license".to_vec(), SectionKind::Data);
    object.append_section_data(licence, LICENCE, 1);
    object.write().ok()
}
