//! Compiles the screen's pages, with the translations bundled in.

use slint_build::{CompilerConfiguration, DefaultTranslationContext};

fn main() -> Result<(), slint_build::CompileError> {
    let config = CompilerConfiguration::new()
        .with_style("fluent-dark".into())
        .with_bundled_translations("ui/lang")
        // Lets tests find an element by its label; a release needs none of it.
        .with_debug_info(std::env::var("PROFILE").is_ok_and(|profile| profile == "debug"))
        // A word means the same on every page.
        .with_default_translation_context(DefaultTranslationContext::None);
    slint_build::compile_with_config("ui/main.slint", config)
}
