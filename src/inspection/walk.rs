//! Walks one file's syntax tree.

use oxc_ast::ast::{
    Argument, ArrowFunctionExpression, AssignmentExpression, AssignmentTarget, CallExpression,
    ConditionalExpression, DoWhileStatement, Expression, ForInStatement, ForOfStatement,
    ForStatement, Function, IdentifierReference, IfStatement, ImportDeclaration,
    ImportDeclarationSpecifier, ImportExpression, ImportMeta, ImportSpecifier, LogicalExpression,
    MemberExpression, NewExpression, ObjectExpression, ObjectPropertyKind, SimpleAssignmentTarget,
    StringLiteral, SwitchStatement, TSExternalModuleDeclaration, TSExternalModuleReference,
    TSGlobalDeclaration, TSImportType, TSTypeName, TSTypeQueryExprName, TemplateElement,
    TryStatement, UnaryExpression, UpdateExpression, WhileStatement,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use super::chain::{chain, member_chain, member_name, text_of};
use super::globals::{self, REPLACEABLE, Verdict};
use super::report::Capabilities;
use super::tests_of_plugin::{SKIPPING, TestCall, classify, makes_tests, skipping_option};

/// What one file does, and what of it is refused.
#[derive(Default)]
pub(super) struct Walk {
    pub in_test: bool,
    /// Tests made here run whenever the file does.
    pub unconditional: bool,
    pub tests: u64,
    pub multiplied: bool,
    pub refused: Vec<(Span, &'static str, String)>,
    /// Specifier, place, whether it is a type, whether it is `import()`.
    pub imports: Vec<(String, Span, bool, bool)>,
    pub capabilities: Capabilities,
}

impl Walk {
    fn refuse(&mut self, span: Span, code: &'static str, message: impl Into<String>) {
        self.refused.push((span, code, message.into()));
    }

    /// Whether the names were judged, so that nobody looks at the root again.
    fn judge(&mut self, names: &[&str], span: Span) -> bool {
        match globals::judge(names) {
            Verdict::Unknown => return false,
            Verdict::Harmless => {}
            Verdict::Network => self.capabilities.network = true,
            Verdict::Environment(name) => {
                self.capabilities.environment.insert(name.to_owned());
            }
            Verdict::Refused(code, message) => self.refuse(span, code, message),
        }
        true
    }

    fn conditional(&mut self, walk: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.unconditional, false);
        walk(self);
        self.unconditional = before;
    }

    fn patch(&mut self, names: Option<Vec<&str>>, span: Span) -> bool {
        let patches = names.is_some_and(|names| globals::patches(&names, self.in_test));
        if patches {
            self.refuse(
                span,
                "global-patching",
                "what the language or the test runner gives may not be changed",
            );
        }
        patches
    }

    fn test_call<'a>(&mut self, call: &CallExpression<'a>, kind: TestCall) {
        if let Some(option) = skipping_option(call) {
            let code = if option == "only" {
                "test-only"
            } else {
                "test-skipped"
            };
            self.refuse(
                call.span,
                code,
                format!("the option `{option}` of a test is refused: every test runs"),
            );
        }
        match call.callee.get_inner_expression() {
            Expression::CallExpression(inner) => self.visit_arguments(&inner.arguments),
            Expression::TaggedTemplateExpression(inner) => {
                self.visit_template_literal(&inner.quasi)
            }
            _ => {}
        }
        let (TestCall::Test { multiplied } | TestCall::Group { multiplied }) = kind else {
            return;
        };
        self.multiplied |= multiplied;
        if !self.unconditional {
            let message = "tests stand at the top of a file or in `describe`, under no condition and in no loop";
            self.refuse(call.span, "test-conditional", message);
        }
        if matches!(kind, TestCall::Test { .. }) {
            self.tests += 1;
            self.visit_arguments(&call.arguments);
            return;
        }
        for argument in &call.arguments {
            match argument {
                // The body of a group runs whenever the group does.
                Argument::ArrowFunctionExpression(body) => {
                    walk::walk_arrow_function_expression(self, body)
                }
                Argument::FunctionExpression(body) => {
                    walk::walk_function(self, body, ScopeFlags::Function)
                }
                other => self.visit_argument(other),
            }
        }
    }

    /// Calls that are more than a use of their names. Whether the first argument was dealt with.
    fn special_call(&mut self, call: &CallExpression, names: &[&str]) -> bool {
        let first = call.arguments.first().and_then(Argument::as_expression);
        let text = |at: usize| {
            call.arguments
                .get(at)
                .and_then(Argument::as_expression)
                .and_then(text_of)
        };
        match names {
            [.., "getSetting"] => {
                if let Some(name) = text(0) {
                    self.capabilities.settings.insert(name.to_owned());
                }
            }
            ["vi" | "vitest", "spyOn"] => {
                let names = first.and_then(chain).unwrap_or_default();
                return matches!(names[..], [root] if globals::is_global_object(root))
                    && text(1).is_some_and(|name| REPLACEABLE.contains(&name));
            }
            ["vi" | "vitest", "stubGlobal"]
                if text(0).is_none_or(|name| !REPLACEABLE.contains(&name)) =>
            {
                self.refuse(
                    call.span,
                    "global-patching",
                    "a test may replace `fetch` and timers, no other global",
                );
            }
            ["expect", "extend"] => {
                self.refuse(
                    call.span,
                    "global-patching",
                    "the test runner's matchers may not be changed",
                );
            }
            [
                "Object",
                "assign" | "defineProperty" | "defineProperties" | "setPrototypeOf",
            ]
            | [
                "Reflect",
                "set" | "defineProperty" | "deleteProperty" | "setPrototypeOf",
            ] if first
                .and_then(chain)
                .is_some_and(|names| globals::is_shared(&names)) =>
            {
                self.refuse(
                    call.span,
                    "global-patching",
                    "what all of the program shares may not be changed",
                );
                return true;
            }
            ["setTimeout" | "setInterval"] if text(0).is_some() => {
                self.refuse(
                    call.span,
                    "code-from-text",
                    "timers take functions, no text",
                );
            }
            [_, .., last] if self.in_test && SKIPPING.contains(last) && !makes_tests(names[0]) => {
                self.refuse(
                    call.span,
                    "test-skipped",
                    "no test may be left out while it runs",
                );
            }
            _ => {}
        }
        false
    }

    fn hosts_in(&mut self, text: &str) {
        if self.in_test {
            return;
        }
        for (at, _) in text.match_indices("://") {
            let scheme = text[..at]
                .rsplit(|c: char| !c.is_ascii_alphanumeric())
                .next()
                .unwrap_or_default();
            let rest = text[at + 3..]
                .split(['/', '?', '#', ' ', '"', '\'', '`', '\\', ')'])
                .next()
                .unwrap_or_default();
            let host = rest
                .rsplit('@')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            if matches!(scheme, "http" | "https" | "ws" | "wss")
                && !host.is_empty()
                && host.len() < 256
            {
                self.capabilities.hosts.insert(host);
            }
        }
    }
}

impl<'a> Visit<'a> for Walk {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        let kind = if self.in_test {
            classify(call)
        } else {
            TestCall::Other
        };
        if kind != TestCall::Other {
            return self.test_call(call, kind);
        }
        let callee = call.callee.get_inner_expression();
        if callee
            .as_member_expression()
            .is_some_and(|member| member_name(member) == "constructor")
        {
            self.refuse(
                call.span,
                "code-from-text",
                "constructors may not be called as functions",
            );
        }
        let names = chain(&call.callee).unwrap_or_default();
        // `describe.skip(…)`: refused as a whole, so what stands in it is not told apart.
        if self.in_test && names.len() > 1 && makes_tests(names[0]) {
            return self.visit_expression(&call.callee);
        }
        if callee.is_specific_id("require") {
            self.refuse(call.span, "require", "`require` is refused: use `import`");
            return self.visit_arguments(&call.arguments);
        }
        if self.special_call(call, &names) {
            self.visit_expression(&call.callee);
            for argument in call.arguments.iter().skip(1) {
                self.visit_argument(argument);
            }
            return;
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
        let callee = new.callee.get_inner_expression();
        if callee
            .as_member_expression()
            .is_some_and(|member| member_name(member) == "constructor")
        {
            self.refuse(
                new.span,
                "code-from-text",
                "constructors may not be reached through a value",
            );
        }
        walk::walk_new_expression(self, new);
    }

    fn visit_member_expression(&mut self, member: &MemberExpression<'a>) {
        if let Some(names) = member_chain(member) {
            if self.in_test && makes_tests(names[0]) {
                let skipping = names.iter().any(|name| SKIPPING.contains(name));
                let code = match () {
                    () if skipping => "test-skipped",
                    () if names.contains(&"only") => "test-only",
                    () if matches!(names[..], [_, "each" | "for"]) => return,
                    () => "test-dynamic",
                };
                return self.refuse(
                    member.span(),
                    code,
                    format!("`{}` is refused: every test runs", names.join(".")),
                );
            }
            if self.judge(&names, member.span()) {
                return;
            }
        }
        walk::walk_member_expression(self, member);
    }

    fn visit_identifier_reference(&mut self, identifier: &IdentifierReference<'a>) {
        let name = identifier.name.as_str();
        if self.in_test && makes_tests(name) {
            self.refuse(
                identifier.span,
                "test-dynamic",
                format!("`{name}` may only be called, under its own name"),
            );
        }
        self.judge(&[name], identifier.span);
    }

    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        for specifier in import.specifiers.iter().flatten() {
            match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => {
                    self.visit_import_specifier(one)
                }
                _ if self.in_test && import.source.value == "vitest" => {
                    let message =
                        "tests import `it`, `test` and `expect` from vitest by their names";
                    self.refuse(import.span, "test-dynamic", message);
                }
                _ => {}
            }
        }
    }

    fn visit_import_specifier(&mut self, specifier: &ImportSpecifier<'a>) {
        let imported = specifier.imported.name();
        if self.in_test
            && makes_tests(imported.as_str())
            && specifier.local.name != imported.as_str()
        {
            self.refuse(
                specifier.span,
                "test-dynamic",
                format!("`{imported}` may only be used under its own name"),
            );
        }
    }

    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        if let Some(member) = assignment.left.as_member_expression() {
            if member_name(member) == "models" {
                self.refuse(member.span(), "plugin-models", MODELS);
            }
            if self.patch(member_chain(member), assignment.span) {
                return self.visit_expression(&assignment.right);
            }
            if self.in_test
                && member_chain(member).is_some_and(|names| globals::is_global_object(names[0]))
            {
                return self.visit_expression(&assignment.right);
            }
        } else if let AssignmentTarget::AssignmentTargetIdentifier(name) = &assignment.left
            && (globals::is_shared(&[name.name.as_str()]) || name.name == "fetch")
        {
            self.refuse(
                assignment.span,
                "global-patching",
                "what all of the program shares may not be replaced",
            );
            return self.visit_expression(&assignment.right);
        }
        walk::walk_assignment_expression(self, assignment);
    }

    fn visit_update_expression(&mut self, update: &UpdateExpression<'a>) {
        let member = SimpleAssignmentTarget::as_member_expression(&update.argument);
        if !self.patch(member.and_then(member_chain), update.span) {
            walk::walk_update_expression(self, update);
        }
    }

    fn visit_unary_expression(&mut self, unary: &UnaryExpression<'a>) {
        let deletes = unary.operator.as_str() == "delete";
        if !deletes || !self.patch(chain(&unary.argument), unary.span) {
            walk::walk_unary_expression(self, unary);
        }
    }

    fn visit_object_expression(&mut self, object: &ObjectExpression<'a>) {
        let find = |wanted: &str| {
            object
                .properties
                .iter()
                .find_map(|property| match property {
                    ObjectPropertyKind::ObjectProperty(one)
                        if one.key.static_name().as_deref() == Some(wanted) =>
                    {
                        Some(one.span)
                    }
                    _ => None,
                })
        };
        let is_plugin =
            find("name").is_some() || find("actions").is_some() || find("providers").is_some();
        if let Some(span) = find("models").filter(|_| is_plugin && !self.in_test) {
            self.refuse(span, "plugin-models", MODELS);
        }
        walk::walk_object_expression(self, object);
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        match text_of(&import.source) {
            Some(specifier) => self
                .imports
                .push((specifier.to_owned(), import.span, false, true)),
            None => self.refuse(
                import.span,
                "import-dynamic",
                "`import()` takes a plain text, so that it can be judged",
            ),
        }
        walk::walk_import_expression(self, import);
    }

    fn visit_ts_import_type(&mut self, import: &TSImportType<'a>) {
        self.imports.push((
            import.source.value.as_str().to_owned(),
            import.span,
            true,
            false,
        ));
        walk::walk_ts_import_type(self, import);
    }

    fn visit_ts_external_module_reference(&mut self, reference: &TSExternalModuleReference<'a>) {
        self.refuse(
            reference.span,
            "require",
            "`import … = require(…)` is refused: use `import … from`",
        );
    }

    fn visit_ts_external_module_declaration(&mut self, module: &TSExternalModuleDeclaration<'a>) {
        self.refuse(
            module.span,
            "module-augmentation",
            "the types of another module may not be changed",
        );
    }

    fn visit_ts_global_declaration(&mut self, global: &TSGlobalDeclaration<'a>) {
        self.refuse(
            global.span,
            "module-augmentation",
            "global types may not be changed",
        );
    }

    fn visit_import_meta(&mut self, meta: &ImportMeta) {
        self.refuse(
            meta.span,
            "import-meta",
            "`import.meta` is refused: a plugin does not depend on where it lies",
        );
    }

    fn visit_string_literal(&mut self, literal: &StringLiteral<'a>) {
        self.hosts_in(literal.value.as_str());
    }

    fn visit_template_element(&mut self, element: &TemplateElement<'a>) {
        self.hosts_in(element.value.raw.as_str());
    }

    // Names of types reach nothing when the program runs.
    fn visit_ts_type_name(&mut self, _name: &TSTypeName<'a>) {}

    fn visit_ts_type_query_expr_name(&mut self, name: &TSTypeQueryExprName<'a>) {
        if let TSTypeQueryExprName::TSImportType(import) = name {
            self.visit_ts_import_type(import);
        }
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.conditional(|walk| walk::walk_function(walk, function, flags));
    }

    fn visit_arrow_function_expression(&mut self, arrow: &ArrowFunctionExpression<'a>) {
        self.conditional(|walk| walk::walk_arrow_function_expression(walk, arrow));
    }

    fn visit_if_statement(&mut self, it: &IfStatement<'a>) {
        self.conditional(|walk| walk::walk_if_statement(walk, it));
    }

    fn visit_conditional_expression(&mut self, it: &ConditionalExpression<'a>) {
        self.conditional(|walk| walk::walk_conditional_expression(walk, it));
    }

    fn visit_logical_expression(&mut self, it: &LogicalExpression<'a>) {
        self.conditional(|walk| walk::walk_logical_expression(walk, it));
    }

    fn visit_for_statement(&mut self, it: &ForStatement<'a>) {
        self.conditional(|walk| walk::walk_for_statement(walk, it));
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'a>) {
        self.conditional(|walk| walk::walk_for_in_statement(walk, it));
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.conditional(|walk| walk::walk_for_of_statement(walk, it));
    }

    fn visit_while_statement(&mut self, it: &WhileStatement<'a>) {
        self.conditional(|walk| walk::walk_while_statement(walk, it));
    }

    fn visit_do_while_statement(&mut self, it: &DoWhileStatement<'a>) {
        self.conditional(|walk| walk::walk_do_while_statement(walk, it));
    }

    fn visit_switch_statement(&mut self, it: &SwitchStatement<'a>) {
        self.conditional(|walk| walk::walk_switch_statement(walk, it));
    }

    fn visit_try_statement(&mut self, it: &TryStatement<'a>) {
        self.conditional(|walk| walk::walk_try_statement(walk, it));
    }
}

const MODELS: &str =
    "a plugin may not bring `models`: they would take the place of the agent's own";
