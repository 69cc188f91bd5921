"""The measures measure: one tiny real run of each, and their figures by hand."""
