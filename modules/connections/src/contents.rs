use connections_formats::{Detection, FormatError, Survey, SurveyReport, detect};
use serde::{Deserialize, Serialize};

/// What an uploaded file is, by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Contents {
    /// Files packed together.
    Zip,
    /// A bank file.
    #[serde(untagged)]
    File(Detection),
}

impl Contents {
    /// Judges a file of which every byte was surveyed.
    pub(crate) fn of(
        report: &SurveyReport,
        head: &[u8],
        file_name: Option<&str>,
    ) -> Result<Self, FormatError> {
        match detect(report, head, file_name) {
            Err(FormatError::UnsupportedFormat { what: "zip" }) => Ok(Self::Zip),
            found => found.map(Self::File),
        }
    }

    /// Why a large file need not come to its end: its beginning is plainly something else.
    pub(crate) fn refusal_of(beginning: &[u8]) -> Option<FormatError> {
        let mut survey = Survey::new();
        survey.feed(beginning);
        let (report, head) = survey.finish();
        Self::of(&report, &head, None)
            .err()
            .filter(|error| matches!(error, FormatError::UnsupportedFormat { .. } | FormatError::BinaryFile))
    }
}
