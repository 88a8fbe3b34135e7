//! Where things lie: the repository, and the folder of one local stack.
use crate::error::{Doing, Error, Result};
use std::path::{Path, PathBuf};

pub struct Repo(PathBuf);

impl Repo {
    /// The checkout that cargo runs us from, else the one around the current folder.
    pub fn find() -> Result<Self> {
        let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(crate_dir) => PathBuf::from(crate_dir),
            None => std::env::current_dir().doing(|| "find the current folder".into())?,
        };
        start
            .ancestors()
            .find(|dir| dir.join("template.yaml").is_file() && dir.join("samconfig.toml").is_file())
            .map(|dir| Self(dir.to_owned()))
            .ok_or_else(|| Error::Usage("Run this inside the repository, where template.yaml lies.".into()))
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.0.join(relative)
    }

    pub fn root(&self) -> &Path {
        &self.0
    }

    /// Where cargo puts binaries of the dev profile.
    pub fn binaries(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.path("target"), PathBuf::from).join("debug")
    }
}

/// The folder of one local stack: `.local`, or another one so that two stacks live side by side.
#[derive(Clone)]
pub struct State(PathBuf);

impl State {
    pub fn open(dir: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(dir.join("logs")).doing(|| format!("make the folder {}", dir.display()))?;
        Ok(Self(dir))
    }

    pub fn stack(&self) -> PathBuf {
        self.0.join("stack.json")
    }

    pub fn run(&self) -> PathBuf {
        self.0.join("run.json")
    }

    pub fn outputs(&self) -> PathBuf {
        self.0.join("outputs.json")
    }

    pub fn template(&self) -> PathBuf {
        self.0.join("template.yaml")
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.0.join("logs").join(format!("{name}.log"))
    }

    /// Scratch space for the emulator, empty at each start.
    pub fn scratch(&self) -> Result<PathBuf> {
        let dir = self.0.join("scratch");
        if dir.exists() {
            std::fs::remove_dir_all(&dir).doing(|| format!("empty {}", dir.display()))?;
        }
        std::fs::create_dir_all(&dir).doing(|| format!("make the folder {}", dir.display()))?;
        Ok(dir)
    }
}

pub fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).doing(|| format!("write {}", path.display()))
}

pub fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).doing(|| format!("read {}", path.display()))
}

/// Removes a file if it is there.
pub fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e).doing(|| format!("remove {}", path.display())),
        _ => Ok(()),
    }
}
