//! Why a transaction was cancelled, item by item, in the order of the request.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::error::StoreError;
use crate::table::Item;

/// What kept one item of a transaction from being written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reason {
    /// Nothing: it was another item's fault.
    None,
    /// Its condition did not hold; the item as it stood, if it exists and was asked for.
    Condition(Option<Item>),
    /// Somebody else was writing it, or the table had no capacity left: the same transaction may succeed later.
    Busy(String),
    /// Anything else: the request is at fault.
    Refused(String),
}

/// A transaction of `N` items that did not happen.
pub(crate) enum Cancelled<const N: usize> {
    /// The reasons, by item.
    Reasons([Reason; N]),
    /// It was not cancelled but failed: throttled, denied, unreachable.
    Failed(StoreError),
}

impl<const N: usize> Cancelled<N> {
    /// Reads the error of a transaction of `N` items.
    pub(crate) fn read(operation: &'static str, error: SdkError<TransactWriteItemsError, HttpResponse>) -> Self {
        Self::read_first(operation, N, error)
    }

    /// Reads the error of a transaction of the first `count` of `N` items: nothing kept the others, which it did not have.
    pub(crate) fn read_first(
        operation: &'static str,
        count: usize,
        error: SdkError<TransactWriteItemsError, HttpResponse>,
    ) -> Self {
        let mut reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                cancelled.cancellation_reasons().iter().map(Reason::read).collect::<Vec<_>>()
            }
            _ => return Self::Failed(StoreError::classify(operation, error)),
        };
        if reasons.len() == count {
            reasons.resize(N, Reason::None);
        }
        match <[Reason; N]>::try_from(reasons) {
            Ok(reasons) => Self::Reasons(reasons),
            Err(_other_count) => Self::Failed(StoreError::unreadable(operation, error)),
        }
    }
}

impl Reason {
    fn read(reason: &CancellationReason) -> Self {
        // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        match reason.code().unwrap_or("None") {
            "None" => Self::None,
            "ConditionalCheckFailed" => Self::Condition(reason.item().filter(|item| !item.is_empty()).cloned()),
            code @ ("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
                Self::Busy(code.to_owned())
            }
            code => Self::Refused(code.to_owned()),
        }
    }

    /// The error of a transaction whose reasons are not ones that the caller has an answer to.
    pub(crate) fn fault(operation: &'static str, reasons: &[Self]) -> StoreError {
        let refused = reasons.iter().find_map(|reason| match reason {
            Self::Refused(code) => Some(code.clone()),
            Self::None | Self::Condition(_) | Self::Busy(_) => None,
        });
        let busy = reasons.iter().find_map(|reason| match reason {
            Self::Busy(code) => Some(code.clone()),
            Self::None | Self::Condition(_) | Self::Refused(_) => None,
        });
        match (refused, busy) {
            (Some(code), _) => StoreError::Malformed { operation, code, source: "a refused part of it".into() },
            (None, Some(code)) => StoreError::Conflict { operation, code },
            (None, None) => StoreError::Condition { operation, code: "TransactionCanceledException".to_owned() },
        }
    }

    /// Whether waiting may help: nothing is wrong but that somebody was in the way.
    pub(crate) fn is_busy(reasons: &[Self]) -> bool {
        reasons.iter().any(|reason| matches!(reason, Self::Busy(_)))
            && reasons.iter().all(|reason| matches!(reason, Self::Busy(_) | Self::None))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;
    use crate::error::Fault;
    use crate::table::text;

    fn cancelled(codes: &[&str]) -> SdkError<TransactWriteItemsError, HttpResponse> {
        let reasons = codes.iter().map(|code| {
            let item = [("PK".to_owned(), text("x"))].into();
            CancellationReason::builder()
                .code(*code)
                .set_item((*code == "ConditionalCheckFailed").then_some(item))
                .build()
        });
        let exception =
            TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons.collect())).build();
        let response = HttpResponse::new(StatusCode::try_from(400).unwrap(), SdkBody::empty());
        SdkError::service_error(TransactWriteItemsError::TransactionCanceledException(exception), response)
    }

    fn reasons(codes: [&str; 2]) -> [Reason; 2] {
        match Cancelled::<2>::read("Test", cancelled(&codes)) {
            Cancelled::Reasons(reasons) => reasons,
            Cancelled::Failed(error) => panic!("{error}"),
        }
    }

    #[test]
    fn each_item_has_its_reason() {
        let [first, second] = reasons(["None", "ConditionalCheckFailed"]);
        assert_eq!(first, Reason::None);
        assert_eq!(second, Reason::Condition(Some([("PK".to_owned(), text("x"))].into())));
    }

    #[test]
    fn a_conflict_may_be_tried_again_and_a_refusal_may_not() {
        let busy = reasons(["None", "TransactionConflict"]);
        assert!(Reason::is_busy(&busy));
        assert_eq!(Reason::fault("Test", &busy).fault(), Fault::Transient);
        let mixed = reasons(["ConditionalCheckFailed", "TransactionConflict"]);
        assert!(!Reason::is_busy(&mixed));
        let refused = reasons(["ValidationError", "TransactionConflict"]);
        assert_eq!(Reason::fault("Test", &refused).fault(), Fault::Permanent);
        assert!(!Reason::is_busy(&reasons(["None", "None"])));
    }

    #[test]
    fn nothing_kept_what_a_transaction_did_not_have() {
        let read = |codes: &[&str]| Cancelled::<3>::read_first("Test", 1, cancelled(codes));
        let Cancelled::Reasons([first, ..]) = read(&["TransactionConflict"]) else { panic!("it has one") };
        assert_eq!(first, Reason::Busy("TransactionConflict".to_owned()));
        assert!(matches!(read(&["None", "None"]), Cancelled::Failed(_)));
    }

    #[test]
    fn a_wrong_number_of_reasons_is_an_error() {
        assert!(matches!(Cancelled::<3>::read("Test", cancelled(&["None"])), Cancelled::Failed(_)));
    }
}
