use super::Role;
use super::amount::Direction;

/// Who took part in a payment, as far as the bank tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Parties {
    debtor: Party,
    creditor: Party,
    ultimate_debtor: Party,
    ultimate_creditor: Party,
}

#[derive(Clone, Debug, Default)]
struct Party {
    name: Option<String>,
    account: Option<String>,
}

impl Parties {
    pub(super) fn set_name(&mut self, role: Role, name: Option<String>) {
        let party = self.of_mut(role);
        party.name = party.name.take().or(name);
    }

    pub(super) fn set_account(&mut self, role: Role, account: Option<String>) {
        let party = self.of_mut(role);
        party.account = party.account.take().or(account);
    }

    /// Who was at the other end of a payment that went this way: the creditor of a debit, the debtor of a credit.
    ///
    /// A payment that came back keeps the parties of the payment that went out, and then the owner himself stands
    /// where the other is looked for; his account gives that away.
    pub(super) fn counterparty(&self, direction: Direction, own_account: Option<&str>) -> Option<&str> {
        let usual = match direction {
            Direction::Debit => Role::Creditor,
            Direction::Credit => Role::Debtor,
        };
        let account = self.of(usual).account.as_deref();
        let is_own = account.zip(own_account).is_some_and(|(one, other)| is_same_account(one, other));
        let side = match (usual, is_own) {
            (Role::Creditor, false) | (Role::Debtor, true) => [Role::Creditor, Role::UltimateCreditor],
            _ => [Role::Debtor, Role::UltimateDebtor],
        };
        side.iter().find_map(|role| self.of(*role).name.as_deref())
    }

    /// Bytes that it holds.
    pub(super) fn size(&self) -> usize {
        let all = [&self.debtor, &self.creditor, &self.ultimate_debtor, &self.ultimate_creditor];
        let texts = all.into_iter().flat_map(|party| [&party.name, &party.account]);
        texts.flatten().map(String::len).sum()
    }

    fn of(&self, role: Role) -> &Party {
        match role {
            Role::Debtor => &self.debtor,
            Role::Creditor => &self.creditor,
            Role::UltimateDebtor => &self.ultimate_debtor,
            Role::UltimateCreditor => &self.ultimate_creditor,
        }
    }

    fn of_mut(&mut self, role: Role) -> &mut Party {
        match role {
            Role::Debtor => &mut self.debtor,
            Role::Creditor => &mut self.creditor,
            Role::UltimateDebtor => &mut self.ultimate_debtor,
            Role::UltimateCreditor => &mut self.ultimate_creditor,
        }
    }
}

/// Banks space an account number in one place and not in the next.
fn is_same_account(one: &str, other: &str) -> bool {
    let bare = |text: &'_ str| {
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect::<Vec<_>>()
    };
    one == other || bare(one) == bare(other)
}
