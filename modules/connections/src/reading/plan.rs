use connections_api::{MappingProfile, Note};
use connections_formats::{
    Detection, EncodingEvidence, Format, FormatError, Mapping, Plan, Securities, Summary, csv, qif, read,
    securities,
};
use kernel::{Currency, Problem};

use super::{Parts, UploadedFile};

/// All that is known of a file before a thread reads it.
pub(crate) struct ReadingPlan {
    pub(crate) detection: Detection,
    /// How to read a table or a QIF file; dates and decimals may be open still.
    pub(crate) mapping: Option<Mapping>,
    /// For amounts that do not say their currency.
    pub(crate) default_currency: Option<Currency>,
}

/// What a thread found.
pub(crate) struct Found {
    pub(crate) outcome: Result<Summary, FormatError>,
    /// The mapping with everything decided that the rows can decide.
    pub(crate) mapping: Option<Mapping>,
    /// Why we broke the reading off, where it was us.
    pub(crate) refusal: Option<Box<Problem>>,
    /// Balances that could not be compared with anything, because no day goes with them.
    pub(crate) undated_balances: u64,
}

impl ReadingPlan {
    /// Reads the whole file into `parts`; twice where only its rows tell how dates or decimals are written, or where
    /// securities are listed at its end.
    pub(crate) fn read(self, file: &UploadedFile, mut parts: Parts) -> Found {
        let mut mapping = None;
        let outcome = self.decide(file).and_then(|decided| {
            mapping.clone_from(&decided);
            let securities = self.securities(file)?;
            let Detection { format, encoding, .. } = self.detection;
            let default_currency = self.default_currency;
            let plan = Plan { format, encoding, mapping: decided, default_currency, securities };
            let summary = read(file.open(), &plan, &mut parts)?;
            if parts.finish().is_break() { Err(FormatError::Stopped) } else { Ok(summary) }
        });
        Found { outcome, mapping, refusal: parts.refusal, undated_balances: parts.undated_balances }
    }

    fn decide(&self, file: &UploadedFile) -> Result<Option<Mapping>, FormatError> {
        let (encoding, currency) = (&self.detection.encoding, self.default_currency);
        let decide = |mapping: &Mapping| match self.detection.format {
            Format::Qif => qif::decide(file.open(), encoding, mapping.clone(), currency),
            _ => csv::decide(file.open(), encoding, mapping.clone(), currency),
        };
        self.mapping.as_ref().map(decide).transpose()
    }

    /// Names that stand behind the rows they belong to.
    fn securities(&self, file: &UploadedFile) -> Result<Securities, FormatError> {
        if !self.detection.lists_securities {
            return Ok(Securities::default());
        }
        securities(file.open(), &self.detection.encoding)
    }
}

/// What a person should know about how the file is taken.
pub(crate) fn notes_before(detection: &Detection, profile: Option<&MappingProfile>) -> Vec<Note> {
    let encoding = &detection.encoding;
    let wrong = (encoding.decided_by == EncodingEvidence::DeclarationWrong).then(|| {
        let declared = encoding.declared.as_deref().unwrap_or("another encoding");
        let declared: String = declared.chars().filter(|c| !c.is_control()).take(40).collect();
        note(
            "encoding_declared_wrong",
            format!("the file says {declared}, but its bytes are {}", encoding.used),
        )
    });
    let misleading = detection.misleading_extension.as_ref().map(|extension| {
        let format = detection.format.as_str();
        note("misleading_extension", format!("the name ends in .{extension}, but the content is {format}"))
    });
    let profile = profile
        .map(|profile| note("profile_used", format!("read with the mapping profile {:?}", profile.name)));
    let message =
        detection.message.as_ref().map(|message| note("message_version", format!("it is {message}")));
    [wrong, misleading, profile, message].into_iter().flatten().collect()
}

/// What a person should know of a table whose bank we know.
pub(crate) fn note_of_built_in(profile: &csv::Profile) -> Note {
    note("built_in_profile_used", format!("read with the built-in mapping profile {:?}", profile.name))
}

/// Fewer rows than this may well be of one kind.
const FEWEST_UNSIGNED: u64 = 4;

/// What a person should know of a table that nobody has told how to read, if none of its amounts has a sign.
pub(crate) fn note_of_unsigned(summary: &Summary, mapping: &Mapping) -> Option<Note> {
    let is_unsigned = summary.rows >= FEWEST_UNSIGNED && summary.unsigned_rows == summary.rows;
    let detail = "no amount of this table has a sign, so all are taken as money that came in; a mapping with invert_sign \
                  reads them as spent";
    // Of a layout that we know it is settled what a bare amount is.
    (is_unsigned && !mapping.invert_sign && mapping.bare_is_debit.is_none())
        .then(|| note("unsigned_amounts", detail.to_owned()))
}

/// What a person should know that only the reading showed.
pub(crate) fn notes_after(summary: &Summary, mapping: Option<&Mapping>, undated_balances: u64) -> Vec<Note> {
    let refusals = summary.refusals.iter();
    let mut notes: Vec<Note> =
        refusals.map(|refusal| note("statement_refused_by_bank", refusal.to_string())).collect();
    let unreadable = summary.unreadable_balances;
    if unreadable > 0 {
        notes.push(note("unreadable_balances", format!("{unreadable} stated balances could not be read")));
    }
    let positions = summary.positions + summary.unreadable_positions;
    if positions > 0 {
        notes.push(note("positions_not_kept", format!("{positions} stated holdings are not kept")));
    }
    let moved = summary.moved_dates;
    if moved > 0 {
        notes.push(note(
            "moved_dates",
            format!(
                "{moved} dates, such as 30 February, are no day; the last of their month stands for them"
            ),
        ));
    }
    if mapping.is_some_and(|mapping| mapping.bare_is_debit == Some(true)) {
        let detail =
            "only credits of this table have a sign, so amounts without one are taken as money that left";
        notes.push(note("bare_amounts_spent", detail.to_owned()));
    }
    if undated_balances > 0 {
        notes.push(note("undated_balances", format!("{undated_balances} stated balances name no day")));
    }
    notes
}

fn note(code: &str, detail: String) -> Note {
    Note { code: code.into(), detail }
}
