//! Where things are in the checkout that this program was built from.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// A checkout of Vestibule, and the folder that its executables were built into.
#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
    executables: PathBuf,
}

impl Checkout {
    /// The checkout that the running executable was built from.
    ///
    /// # Errors
    /// When it is not there any more: `dev`, `demo` and the tests read the template, the page and the fixtures from it.
    pub fn find() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).to_owned();
        let running = std::env::current_exe().context("cannot tell where the running executable is")?;
        let mut executables = running.parent().unwrap_or(Path::new("/"));
        // A test's executable is one folder further down.
        if executables.ends_with("deps") {
            executables = executables.parent().unwrap_or(executables);
        }
        let checkout = Self { executables: executables.to_owned(), root };
        anyhow::ensure!(
            checkout.template().is_file(),
            "{} is not there: this needs the checkout that vestibule was built from",
            checkout.template().display()
        );
        Ok(checkout)
    }

    /// The checkout's own folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The stack's template.
    pub fn template(&self) -> PathBuf {
        self.root.join("infra/template.yaml")
    }

    /// What pins the local cloud.
    pub fn requirements(&self) -> PathBuf {
        self.root.join("infra/local/requirements.txt")
    }

    /// What runs the local cloud.
    pub fn server_script(&self) -> PathBuf {
        self.root.join("infra/local/server.py")
    }

    /// The page, once it is built: `make page`.
    pub fn web(&self) -> PathBuf {
        self.root.join("web/dist")
    }

    /// The fixtures' folder.
    pub fn fixtures(&self) -> PathBuf {
        self.root.join("fixtures")
    }

    /// What local runs leave behind; `cargo clean` removes it.
    pub fn local(&self) -> PathBuf {
        self.root.join("target/local")
    }

    /// Where `demo` leaves its report.
    pub fn demo_report(&self) -> PathBuf {
        self.root.join("target/demo/report.json")
    }

    /// The built executable of a function, such as `api`.
    ///
    /// # Errors
    /// When it has not been built.
    pub fn function(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.executables.join(format!("vestibule-{name}"));
        anyhow::ensure!(path.is_file(), "{} is not built: run `cargo build --workspace` first", path.display());
        Ok(path)
    }
}
