//! What a Lambda's code can get to from its `main`: by every function that a name may mean, of types that are mentioned on the way.
use crate::source::{Call, Code, Function, LOOSE, Place};
use crate::{file, path};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

/// Requests of the AWS SDKs by their builders, and the permission that each needs.
const REQUESTS: [(&str, &str); 16] = [
    ("get_item", "dynamodb:GetItem"),
    ("batch_get_item", "dynamodb:BatchGetItem"),
    ("query", "dynamodb:Query"),
    ("put_item", "dynamodb:PutItem"),
    ("batch_write_item", "dynamodb:BatchWriteItem"),
    ("delete_item", "dynamodb:DeleteItem"),
    // Each write of a transaction needs its own kind's permission; ours are puts.
    ("transact_write_items", "dynamodb:PutItem"),
    ("send_message", "sqs:SendMessage"),
    ("send_message_batch", "sqs:SendMessage"),
    ("change_message_visibility", "sqs:ChangeMessageVisibility"),
    ("put_events", "events:PutEvents"),
    ("get_parameter", "ssm:GetParameter"),
    ("generate_data_key", "kms:GenerateDataKey"),
    ("put_object", "s3:PutObject"),
    ("get_object", "s3:GetObject"),
    ("decrypt", "kms:Decrypt"),
];

/// Two operations of the table are called as methods of many other things are; they are meant where they are called on a table, or on
/// what holds nothing else.
const TABLE: &str = "Table";
const AMBIGUOUS: [(&str, usize); 2] = [("get", 1), ("query", 1)];
const ON_A_TABLE: [&str; 2] = ["table", "0"];

/// What a function can do.
#[derive(Debug, Default)]
pub struct Reached {
    /// Permissions, each with a way by which the code comes to need it.
    pub requests: BTreeMap<&'static str, String>,
    /// The same on an index of the table, which is another resource.
    pub on_index: BTreeMap<&'static str, String>,
    /// Variables of the environment that it asks for.
    pub variables: BTreeSet<String>,
    /// Names of parameters, below the stack's.
    pub parameters: BTreeSet<String>,
}

/// The crates that a function is built of: itself, its dependencies in this repository, and theirs.
fn crates(function: &str) -> BTreeSet<String> {
    let (mut known, mut next) = (BTreeSet::new(), vec![format!("functions/{function}")]);
    while let Some(folder) = next.pop() {
        if !known.insert(folder.rsplit('/').next().unwrap_or_default().to_owned()) {
            continue;
        }
        let manifest = file(&format!("{folder}/Cargo.toml"));
        let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
        let names = lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split(['.', ' ']).next());
        let names = names.filter(|name| !name.is_empty()).map(|name| format!("shared/{name}"));
        next.extend(names.filter(|folder| path(folder).is_dir()));
    }
    known
}

/// All our code, read once.
fn code() -> &'static Code {
    static CODE: LazyLock<Code> = LazyLock::new(|| {
        let folders = ["functions", "shared"].map(|floor| std::fs::read_dir(path(floor)).expect("a folder"));
        let folders = folders.into_iter().flatten().map(|entry| entry.expect("an entry").path());
        Code::read(&folders.filter(|folder| folder.join("src").is_dir()).collect::<Vec<_>>())
    });
    &CODE
}

pub fn reached(function: &str) -> Reached {
    let mut walk = Walk::new(code(), function);
    walk.run();
    let mut reached = Reached::default();
    for number in walk.seen.iter().copied() {
        let found = &walk.code.functions[number];
        for call in &found.calls {
            match call {
                Call::Method { receiver, name, arguments: 0 } => {
                    let request = REQUESTS.iter().find(|(request, _)| request == name);
                    assert!(
                        request.is_some() || receiver != "client",
                        "{}: a request of AWS, {name}(), is not among REQUESTS, which say what permission it needs",
                        walk.way(number)
                    );
                    if let Some((_, action)) = request {
                        let on_index = *action == "dynamodb:Query" && found.words.iter().any(|w| w == "index_name");
                        let requests = if on_index { &mut reached.on_index } else { &mut reached.requests };
                        requests.entry(action).or_insert_with(|| walk.way(number));
                    }
                }
                Call::Path { qualifier, .. } if qualifier == "config" => {
                    let shouted =
                        |text: &&String| text.len() > 2 && text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
                    reached.variables.extend(found.texts.iter().filter(shouted).cloned());
                }
                _ => {}
            }
        }
        let parameter = |text: &&String| text.starts_with("/{stack}/");
        reached.parameters.extend(found.texts.iter().filter(parameter).cloned());
    }
    reached
}

/// A method that is called on something whose type the tokens don't tell.
type Wanted<'a> = (&'a str, usize);

struct Walk<'a> {
    code: &'a Code,
    own: &'a str,
    crates: BTreeSet<String>,
    by_name: HashMap<&'a str, Vec<usize>>,
    seen: BTreeSet<usize>,
    /// From where each function was come to.
    from: HashMap<usize, usize>,
    /// Types and all other words that what was come to mentions.
    mentioned: HashSet<&'a str>,
    /// By whom first; and the same of those that are called on a table.
    wanted: HashMap<Wanted<'a>, usize>,
    wanted_of_table: HashMap<Wanted<'a>, usize>,
}

impl<'a> Walk<'a> {
    fn new(code: &'a Code, own: &'a str) -> Self {
        let crates = crates(own);
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, function) in code.functions.iter().enumerate().filter(|(_, f)| crates.contains(&f.krate)) {
            by_name.entry(&function.name).or_default().push(number);
        }
        Self {
            code,
            own,
            crates,
            by_name,
            seen: BTreeSet::new(),
            from: HashMap::new(),
            mentioned: HashSet::new(),
            wanted: HashMap::new(),
            wanted_of_table: HashMap::new(),
        }
    }

    fn named(&self, name: &str, fits: impl Fn(&Function) -> bool) -> Vec<usize> {
        let numbers = self.by_name.get(name).into_iter().flatten().copied();
        numbers.filter(|number| fits(&self.code.functions[*number])).collect()
    }

    /// Goes on until nothing is added: a method counts once something mentions its type.
    fn run(&mut self) {
        let main = self.named("main", |f| f.krate == self.own);
        assert_eq!(main.len(), 1, "{}: one main", self.own);
        let mut next: Vec<(usize, Option<usize>)> = vec![(main[0], None)];
        while !next.is_empty() {
            while let Some((number, from)) = next.pop() {
                if self.seen.insert(number) {
                    self.from.extend(from.map(|from| (number, from)));
                    next.extend(self.enter(number).into_iter().map(|target| (target, Some(number))));
                }
            }
            next = self.by_type();
        }
    }

    /// Takes in what a function mentions, and gives what it calls for certain.
    fn enter(&mut self, number: usize) -> Vec<usize> {
        let code = self.code;
        let function = &code.functions[number];
        self.mention(function.words.iter().chain(&function.owner));
        let mut targets = Vec::new();
        for call in &function.calls {
            match call {
                Call::Path { qualifier, name } => targets.extend(self.by_path(function, qualifier, name)),
                Call::Bare { name } => targets.extend(self.by_bare_name(function, name)),
                Call::Method { receiver, name, arguments } => {
                    let known = match receiver.as_str() {
                        "self" => function.owner.as_deref(),
                        owner if owner.starts_with(char::is_uppercase) => Some(owner),
                        _ => None,
                    };
                    let known = known.map(|owner| self.owned(owner, name)).unwrap_or_default();
                    if known.is_empty() {
                        self.wanted.entry((name, *arguments)).or_insert(number);
                        let ambiguous = AMBIGUOUS.contains(&(name.as_str(), *arguments));
                        if !ambiguous || ON_A_TABLE.contains(&receiver.as_str()) {
                            self.wanted_of_table.entry((name, *arguments)).or_insert(number);
                        }
                    }
                    targets.extend(known);
                }
            }
        }
        targets
    }

    fn mention(&mut self, words: impl Iterator<Item = &'a String>) {
        for word in words {
            if self.mentioned.insert(word)
                && let Some(stands_for) = self.code.aliases.get(word)
            {
                self.mention(stands_for.iter());
            }
        }
    }

    fn owned(&self, owner: &str, name: &str) -> Vec<usize> {
        self.named(name, |f| f.owner.as_deref() == Some(owner))
    }

    fn by_path(&self, caller: &Function, qualifier: &str, name: &str) -> Vec<usize> {
        if qualifier == "Self" {
            return caller.owner.as_deref().map(|owner| self.owned(owner, name)).unwrap_or_default();
        }
        if qualifier.starts_with(char::is_uppercase) {
            return self.owned(qualifier, name);
        }
        self.named(name, |f| {
            let near = match qualifier {
                "self" | "super" | "crate" => f.krate == caller.krate,
                module => f.module == module || f.krate.replace('-', "_") == module,
            };
            f.owner.is_none() && near
        })
    }

    /// A function of the same file, or one that the file has by `use`.
    fn by_bare_name(&self, caller: &Function, name: &str) -> Vec<usize> {
        let here = self.named(name, |f| f.owner.is_none() && place(f) == place(caller));
        if !here.is_empty() {
            return here;
        }
        let imported = self.code.imports.get(&place(caller)).and_then(|imports| imports.get(name));
        imported.map(|(module, name)| self.by_path(caller, module, name)).unwrap_or_default()
    }

    /// Methods that are wanted, of types that are mentioned; and what frameworks and the language call: a foreign trait's methods,
    /// and what a file's macros made.
    fn by_type(&self) -> Vec<(usize, Option<usize>)> {
        let places: HashSet<_> = self.seen.iter().map(|number| place(&self.code.functions[*number])).collect();
        let mut found = Vec::new();
        for (number, function) in self.code.functions.iter().enumerate() {
            if self.seen.contains(&number) || !self.crates.contains(&function.krate) {
                continue;
            }
            if function.name == LOOSE {
                found.extend(places.contains(&place(function)).then_some((number, None)));
                continue;
            }
            let Some(owner) = &function.owner else { continue };
            if !self.mentioned.contains(owner.as_str()) {
                continue;
            }
            let wanted = match function.of_trait.as_deref() {
                Some(TABLE) => &self.wanted_of_table,
                _ => &self.wanted,
            };
            let by = wanted.get(&(function.name.as_str(), function.arguments)).filter(|_| function.method);
            let foreign = function.of_trait.as_ref().is_some_and(|of| !self.code.traits.contains(of));
            if by.is_some() || foreign {
                found.push((number, by.copied()));
            }
        }
        found
    }

    /// How a function was come to, for whoever reads a failure.
    fn way(&self, number: usize) -> String {
        let name = |n: usize| {
            let f = &self.code.functions[n];
            let owner = f.owner.as_deref().map(|owner| format!("{owner}::")).unwrap_or_default();
            format!("{}::{}::{owner}{}", f.krate, f.module, f.name)
        };
        let steps = std::iter::successors(Some(number), |at| self.from.get(at).copied());
        steps.take(30).map(name).collect::<Vec<_>>().join(" <- ")
    }
}

fn place(function: &Function) -> Place {
    (function.krate.clone(), function.module.clone())
}
