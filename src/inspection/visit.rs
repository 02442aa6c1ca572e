//! Walks one file's syntax tree.

use oxc_ast::ast::{
    ArrowFunctionExpression, AssignmentExpression, AssignmentTarget, AssignmentTargetPropertyIdentifier,
    AssignmentTargetPropertyProperty, BinaryExpression, BindingIdentifier, BindingProperty, CallExpression, Class,
    ConditionalExpression, DoWhileStatement, ForInStatement, ForOfStatement, ForStatement, Function,
    IdentifierReference, IfStatement, ImportDeclaration, ImportDeclarationSpecifier, ImportExpression, ImportMeta,
    ImportSpecifier, LogicalExpression, MemberExpression, NewExpression, ObjectExpression, SimpleAssignmentTarget,
    StringLiteral, SwitchStatement, TSExternalModuleDeclaration, TSExternalModuleReference, TSGlobalDeclaration,
    TSImportType, TSTypeName, TSTypeQueryExprName, TemplateElement, TryStatement, UnaryExpression, UpdateExpression,
    VariableDeclarator, WhileStatement,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan;
use oxc_syntax::scope::ScopeFlags;

use super::chain::{chain, member_chain, member_name, text_of};
use super::globals;
use super::members;
use super::tests_of_plugin::{TestCall, classify, is_runner, makes_tests};
use super::walk::{MODELS, Walk};

/// Visits what runs only at times.
macro_rules! conditional {
    ($($visit:ident $walk:ident $node:ident,)+) => {
        $(fn $visit(&mut self, it: &$node<'a>) {
            self.conditional(|walk| walk::$walk(walk, it));
        })+
    };
}

impl<'a> Visit<'a> for Walk {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        let kind = if self.in_test { classify(call) } else { TestCall::Other };
        if kind != TestCall::Other {
            return self.test_call(call, kind);
        }
        let callee = call.callee.get_inner_expression();
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
            self.used(&call.callee);
            self.visit_expression(&call.callee);
            for argument in call.arguments.iter().skip(1) {
                self.visit_argument(argument);
            }
            return;
        }
        self.used(&call.callee);
        self.matcher_arguments(call, &names);
        walk::walk_call_expression(self, call);
    }

    fn visit_member_expression(&mut self, member: &MemberExpression<'a>) {
        if !self.member(member) {
            self.glued(member);
            self.used(member.object());
            walk::walk_member_expression(self, member);
        }
    }

    fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
        self.used(&new.callee);
        walk::walk_new_expression(self, new);
    }

    // Comparisons and sums give none of what they are made of.
    fn visit_binary_expression(&mut self, binary: &BinaryExpression<'a>) {
        self.used(&binary.left);
        self.used(&binary.right);
        walk::walk_binary_expression(self, binary);
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        if let Some(base) = &class.heritage {
            self.used(&base.expression);
        }
        walk::walk_class(self, class);
    }

    fn visit_binding_property(&mut self, property: &BindingProperty<'a>) {
        self.taken_apart(members::key_name(&property.key), property.span);
        walk::walk_binding_property(self, property);
    }

    fn visit_assignment_target_property_identifier(&mut self, property: &AssignmentTargetPropertyIdentifier<'a>) {
        self.taken_apart(Some(property.binding.name.as_str().into()), property.span);
        walk::walk_assignment_target_property_identifier(self, property);
    }

    fn visit_assignment_target_property_property(&mut self, property: &AssignmentTargetPropertyProperty<'a>) {
        self.taken_apart(members::key_name(&property.name), property.span);
        walk::walk_assignment_target_property_property(self, property);
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
        if !self.judge(&[name], identifier.span) {
            self.bare(&[name], identifier.span);
        }
    }

    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        for specifier in import.specifiers.iter().flatten() {
            match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => {
                    self.visit_import_specifier(one);
                }
                _ if self.in_test && import.source.value == "vitest" => {
                    let message = "tests import `it`, `test` and `expect` from vitest by their names";
                    self.refuse(import.span, "test-dynamic", message);
                }
                _ => {}
            }
        }
    }

    fn visit_import_specifier(&mut self, specifier: &ImportSpecifier<'a>) {
        let imported = specifier.imported.name();
        let known = makes_tests(imported.as_str()) || is_runner(imported.as_str());
        if self.in_test && known && specifier.local.name != imported.as_str() {
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
            if self.patch(member_chain(member), assignment.span)
                || self.expectation_changed(member.object(), assignment.span)
            {
                return self.visit_expression(&assignment.right);
            }
            if self.in_test && member_chain(member).is_some_and(|names| globals::is_global_object(names[0])) {
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
        self.expectation_kept(&assignment.right);
        walk::walk_assignment_expression(self, assignment);
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if let Some(value) = &declarator.init {
            self.expectation_kept(value);
        }
        walk::walk_variable_declarator(self, declarator);
    }

    // Imports come by elsewhere: what is left would take the place of the test runner's own.
    fn visit_binding_identifier(&mut self, binding: &BindingIdentifier<'a>) {
        if self.in_test && is_runner(binding.name.as_str()) {
            let message = format!("`{}` is the test runner's: name your own something else", binding.name);
            self.refuse(binding.span, "test-dynamic", message);
        }
    }

    fn visit_update_expression(&mut self, update: &UpdateExpression<'a>) {
        let member = SimpleAssignmentTarget::as_member_expression(&update.argument);
        if !self.patch(member.and_then(member_chain), update.span) {
            walk::walk_update_expression(self, update);
        }
    }

    fn visit_unary_expression(&mut self, unary: &UnaryExpression<'a>) {
        let deletes = unary.operator.as_str() == "delete";
        self.used(&unary.argument);
        if !deletes || !self.patch(chain(&unary.argument), unary.span) {
            walk::walk_unary_expression(self, unary);
        }
    }

    fn visit_object_expression(&mut self, object: &ObjectExpression<'a>) {
        if !self.in_test {
            self.plugin_models(object);
        }
        walk::walk_object_expression(self, object);
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        match text_of(&import.source) {
            Some(specifier) => self.imports.push((specifier.to_owned(), import.span, false, true)),
            None => self.refuse(
                import.span,
                "import-dynamic",
                "`import()` takes a plain text, so that it can be judged",
            ),
        }
        walk::walk_import_expression(self, import);
    }

    fn visit_ts_import_type(&mut self, import: &TSImportType<'a>) {
        self.imports
            .push((import.source.value.as_str().to_owned(), import.span, true, false));
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
        self.refuse(global.span, "module-augmentation", "global types may not be changed");
    }

    fn visit_import_meta(&mut self, meta: &ImportMeta) {
        self.refuse(
            meta.span,
            "import-meta",
            "`import.meta` is refused: a plugin does not depend on where it lies",
        );
    }

    fn visit_string_literal(&mut self, literal: &StringLiteral<'a>) {
        self.hosts_in(literal.value.as_str(), literal.span);
    }

    fn visit_template_element(&mut self, element: &TemplateElement<'a>) {
        let text = element.value.cooked.as_ref().unwrap_or(&element.value.raw);
        self.hosts_in(text.as_str(), element.span);
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

    conditional! {
        visit_if_statement walk_if_statement IfStatement,
        visit_conditional_expression walk_conditional_expression ConditionalExpression,
        visit_logical_expression walk_logical_expression LogicalExpression,
        visit_for_statement walk_for_statement ForStatement,
        visit_for_in_statement walk_for_in_statement ForInStatement,
        visit_for_of_statement walk_for_of_statement ForOfStatement,
        visit_while_statement walk_while_statement WhileStatement,
        visit_do_while_statement walk_do_while_statement DoWhileStatement,
        visit_switch_statement walk_switch_statement SwitchStatement,
        visit_try_statement walk_try_statement TryStatement,
    }
}
