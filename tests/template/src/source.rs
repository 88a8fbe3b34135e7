//! Our code as functions, and what each of them mentions. Read as tokens, not as types: whatever could be meant by a name counts,
//! so that too much is found rather than too little.
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `receiver.name(…)`, with the word before the dot (of `self.table.get(…)`: `table`).
    Method { receiver: String, name: String, arguments: usize },
    /// `qualifier::name`, called or handed over.
    Path { qualifier: String, name: String },
    /// `name(…)`, or `name` handed over as an argument.
    Bare { name: String },
}

#[derive(Debug, Clone)]
pub struct Function {
    pub krate: String,
    /// The file's name, or its folder's for a `mod.rs`: what a path calls the module.
    pub module: String,
    /// The type, or the trait, that it belongs to.
    pub owner: Option<String>,
    /// Of which trait it is.
    pub of_trait: Option<String>,
    pub name: String,
    pub method: bool,
    pub arguments: usize,
    pub calls: Vec<Call>,
    /// Every identifier of signature and body.
    pub words: Vec<String>,
    /// Every string literal of the body.
    pub texts: Vec<String>,
}

/// The name of what stands in a file outside its functions: macros that make some.
pub const LOOSE: &str = "(loose)";

/// A file: its crate, and what a path calls the module.
pub type Place = (String, String);

#[derive(Debug, Default)]
pub struct Code {
    pub functions: Vec<Function>,
    /// What a file has by `use`: the name that it has there, the module that it comes from, and its name there.
    pub imports: BTreeMap<Place, BTreeMap<String, (String, String)>>,
    /// `type A = B<C>;`: A by the words of what it stands for.
    pub aliases: BTreeMap<String, Vec<String>>,
    pub traits: Vec<String>,
}

impl Code {
    /// All crates in these folders (`shared/store`, …), without their tests.
    pub fn read(folders: &[PathBuf]) -> Self {
        let mut code = Self::default();
        for folder in folders {
            let krate = name_of(folder);
            for file in rust_files(&folder.join("src")) {
                let module = match name_of(&file).as_str() {
                    "mod.rs" => name_of(file.parent().expect("a folder")),
                    file => file.trim_end_matches(".rs").to_owned(),
                };
                let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
                let tokens = TokenStream::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
                Reader { code: &mut code, krate: &krate, module: &module }.items(tokens, None, None);
            }
        }
        code
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let files = paths.into_iter().flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
}

struct Reader<'a> {
    code: &'a mut Code,
    krate: &'a str,
    module: &'a str,
}

impl Reader<'_> {
    fn items(&mut self, tokens: TokenStream, owner: Option<&str>, of_trait: Option<&str>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            if is_test(&tokens[at..]) {
                at = end_of_item(&tokens, at + 2);
                continue;
            }
            match word(tokens.get(at)).as_str() {
                "mod" => {
                    if let Some(TokenTree::Group(body)) = tokens.get(at + 2) {
                        self.items(body.stream(), None, None);
                    }
                    at = end_of_item(&tokens, at);
                }
                "impl" => {
                    let end = end_of_item(&tokens, at);
                    let (head, body) = tokens[at + 1..end].split_at(end - at - 2);
                    let (of_trait, owner) = heading(head);
                    if let Some(TokenTree::Group(body)) = body.first() {
                        self.items(body.stream(), Some(&owner), of_trait.as_deref());
                    }
                    at = end;
                }
                "trait" => {
                    let name = word(tokens.get(at + 1));
                    let end = end_of_item(&tokens, at);
                    self.code.traits.push(name.clone());
                    if let Some(TokenTree::Group(body)) = tokens.get(end - 1) {
                        self.items(body.stream(), Some(&name), Some(&name));
                    }
                    at = end;
                }
                "type" => {
                    let end = end_of_item(&tokens, at);
                    let words = words(&tokens[at + 2..end]);
                    self.code.aliases.entry(word(tokens.get(at + 1))).or_default().extend(words);
                    at = end;
                }
                "fn" => {
                    let end = end_of_item(&tokens, at);
                    self.function(&tokens[at + 1..end], owner, of_trait);
                    at = end;
                }
                "use" => {
                    let end = end_of_item(&tokens, at);
                    let place = (self.krate.to_owned(), self.module.to_owned());
                    imports(&tokens[at + 1..end], "", self.code.imports.entry(place).or_default());
                    // The semicolon may lie behind a group of names.
                    at = if is_punct(tokens.get(end), ';') { end + 1 } else { end };
                }
                "struct" | "enum" | "union" | "extern" => at = end_of_item(&tokens, at),
                // An expression of a constant, or a macro: whoever comes into the file may get to what it names.
                _ => {
                    if let Some(TokenTree::Group(group)) = tokens.get(at)
                        && group.delimiter() != Delimiter::Bracket
                    {
                        self.loose(group);
                    }
                    at += 1;
                }
            }
        }
    }

    fn function(&mut self, tokens: &[TokenTree], owner: Option<&str>, of_trait: Option<&str>) {
        let parameters = tokens.iter().find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group),
            _ => None,
        });
        let Some(parameters) = parameters else { return };
        let receiver: Vec<TokenTree> = parameters.stream().into_iter().take(4).collect();
        let method = words(&receiver).first().is_some_and(|first| first == "self" || first == "mut")
            && words(&receiver).iter().any(|word| word == "self");
        let arguments = count(parameters) - usize::from(method);
        let name = word(tokens.first());
        self.add(name, owner, of_trait, (method, arguments), tokens);
    }

    fn loose(&mut self, group: &Group) {
        self.add(LOOSE.to_owned(), None, None, (false, 0), &[TokenTree::Group(group.clone())]);
    }

    fn add(
        &mut self,
        name: String,
        owner: Option<&str>,
        of_trait: Option<&str>,
        (method, arguments): (bool, usize),
        tokens: &[TokenTree],
    ) {
        let (mut calls, mut texts) = (Vec::new(), Vec::new());
        for token in tokens {
            if let TokenTree::Group(body) = token
                && body.delimiter() == Delimiter::Brace
            {
                calls_in(body.stream(), &mut calls);
                texts_in(body.stream(), &mut texts);
            }
        }
        self.code.functions.push(Function {
            krate: self.krate.to_owned(),
            module: self.module.to_owned(),
            owner: owner.map(str::to_owned),
            of_trait: of_trait.map(str::to_owned),
            name,
            method,
            arguments,
            calls,
            words: words(tokens),
            texts,
        });
    }
}

/// `#[cfg(test)]`.
fn is_test(tokens: &[TokenTree]) -> bool {
    match (tokens.first(), tokens.get(1)) {
        (Some(TokenTree::Punct(hash)), Some(TokenTree::Group(group))) if hash.as_char() == '#' => {
            words(&group.stream().into_iter().collect::<Vec<_>>()) == ["cfg", "test"]
        }
        _ => false,
    }
}

/// Where the item ends that begins here: behind its braces, or its semicolon.
fn end_of_item(tokens: &[TokenTree], from: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    tokens[from..].iter().position(ends).map_or(tokens.len(), |length| from + length + 1)
}

/// Of `impl<…> Trait for Type<…> where …`: trait and type, each by its last word before generics.
fn heading(tokens: &[TokenTree]) -> (Option<String>, String) {
    let (mut depth, mut last, mut of_trait) = (0_usize, String::new(), None);
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth = depth.saturating_sub(1),
            TokenTree::Ident(ident) if depth == 0 && *ident == "for" => of_trait = Some(std::mem::take(&mut last)),
            TokenTree::Ident(ident) if depth == 0 && *ident == "where" => break,
            TokenTree::Ident(ident) if depth == 0 && *ident != "dyn" => last = ident.to_string(),
            _ => {}
        }
    }
    (of_trait, last)
}

/// `a::b::{c, d as e}`: c and e, both from `b`.
fn imports(tokens: &[TokenTree], from: &str, found: &mut BTreeMap<String, (String, String)>) {
    let (mut from, mut last) = (from.to_owned(), String::new());
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if *ident == "as" => {
                found.insert(word(tokens.get(at + 1)), (from.clone(), last.clone()));
            }
            TokenTree::Ident(ident) => {
                if is_punct(tokens.get(at + 1), ':') {
                    from = ident.to_string();
                } else if word(at.checked_sub(1).and_then(|before| tokens.get(before))) != "as" {
                    last = ident.to_string();
                    found.insert(last.clone(), (from.clone(), last.clone()));
                }
            }
            TokenTree::Group(group) => {
                let parts: Vec<TokenTree> = group.stream().into_iter().collect();
                for part in parts.split(|token| is_punct(Some(token), ',')) {
                    imports(part, &from, found);
                }
            }
            _ => {}
        }
    }
}

fn word(token: Option<&TokenTree>) -> String {
    match token {
        Some(TokenTree::Ident(ident)) => ident.to_string(),
        _ => String::new(),
    }
}

fn words(tokens: &[TokenTree]) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found.push(ident.to_string()),
            TokenTree::Group(group) => found.extend(words(&group.stream().into_iter().collect::<Vec<_>>())),
            _ => {}
        }
    }
    found
}

fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// Arguments between these parentheses: commas outside generics and closures' bars, a trailing one aside.
fn count(group: &Group) -> usize {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let (mut arguments, mut depth, mut bars, mut open) = (0_usize, 0_usize, false, false);
    for (at, token) in tokens.iter().enumerate() {
        let arrow = at > 0 && (is_punct(tokens.get(at - 1), '-') || is_punct(tokens.get(at - 1), '='));
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ',' && depth == 0 && !bars => {
                (arguments, open) = (arguments + 1, false);
                continue;
            }
            TokenTree::Punct(punct) if punct.as_char() == '|' => bars = !bars,
            // Generics, where a path or a type goes before; a comparison has spaces that tokens don't show, and no commas.
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' && !arrow => depth = depth.saturating_sub(1),
            _ => {}
        }
        open = true;
    }
    arguments + usize::from(open)
}

fn calls_in(tokens: TokenStream, calls: &mut Vec<Call>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => calls_in(group.stream(), calls),
            TokenTree::Ident(ident) => {
                if let Some(call) = call_at(&tokens, at, ident.to_string()) {
                    calls.push(call);
                }
            }
            _ => {}
        }
    }
}

fn call_at(tokens: &[TokenTree], at: usize, name: String) -> Option<Call> {
    let before = |n: usize| at.checked_sub(n).and_then(|at| tokens.get(at));
    let arguments = match tokens.get(behind_turbofish(tokens, at + 1)) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => Some(count(group)),
        _ => None,
    };
    if is_punct(before(1), '.') && !is_punct(before(2), '.') {
        return arguments.map(|arguments| Call::Method { receiver: receiver(tokens, at - 1), name, arguments });
    }
    if is_punct(before(1), ':') && is_punct(before(2), ':') {
        return Some(Call::Path { qualifier: word(before(3)), name });
    }
    let alone = |token: Option<&TokenTree>| token.is_none() || is_punct(token, ',');
    let handed_over = alone(before(1)) && alone(tokens.get(at + 1));
    (arguments.is_some() || handed_over).then_some(Call::Bare { name })
}

/// The word that a method is called on: `table` of `self.table.get`, `Directory` of `Directory(x).get`, `lane` of `self.lane().get`.
fn receiver(tokens: &[TokenTree], dot: usize) -> String {
    let mut at = dot;
    while let Some(before) = at.checked_sub(1) {
        match &tokens[before] {
            TokenTree::Ident(ident) if *ident != "await" => return ident.to_string(),
            TokenTree::Literal(literal) => return literal.to_string(),
            TokenTree::Group(_) | TokenTree::Ident(_) => at = before,
            TokenTree::Punct(punct) if matches!(punct.as_char(), '?' | '.') => at = before,
            TokenTree::Punct(_) => break,
        }
    }
    String::new()
}

/// Behind `::<…>`, if there is one.
fn behind_turbofish(tokens: &[TokenTree], from: usize) -> usize {
    if !(is_punct(tokens.get(from), ':') && is_punct(tokens.get(from + 1), ':') && is_punct(tokens.get(from + 2), '<'))
    {
        return from;
    }
    let (mut at, mut depth) = (from + 2, 0_usize);
    while at < tokens.len() {
        if is_punct(tokens.get(at), '<') {
            depth += 1;
        } else if is_punct(tokens.get(at), '>') {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
        at += 1;
    }
    from
}

fn texts_in(tokens: TokenStream, texts: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => texts_in(group.stream(), texts),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if let Some(text) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
                    texts.push(text.to_owned());
                }
            }
            _ => {}
        }
    }
}
