//! `template.yaml` held against code and pages: the tests are in `tests/`.
