package import HTTPSurface
package import Kernel
package import Persistence

/// The module's door.
package enum BillingModule {
    package static let tables: [Table] =
        LedgerTables.all + BillingTables.all + ProviderTables.all + [RevenueStore.table] + CouponTables.all + AddonTables.all + WalletTables.all
        + SaleTables.all + PayoutTables.all + ReferralTables.all + LicenceTables.all + FigureTables.all + ConsultingTables.all + CourseTables.all

    package static let migrations: [Migration] = [
        Migration("billing.0001-ledger", LedgerTables.all.map { .createTable($0) }),
        Migration("billing.0002-subscriptions-invoices-payments-metrics", BillingTables.atFirst.map { .createTable($0) }),
        Migration("billing.0003-providers-revenue", (ProviderTables.all + [RevenueStore.table]).map { .createTable($0) }),
        Migration(
            "billing.0004-coupons-addons-wallets",
            [
                .addColumn(table: "subscriptions", BillingTables.discounted), .addColumn(table: "invoice_lines", BillingTables.item),
                .addColumn(table: "invoice_lines", BillingTables.itemName)
            ] + (CouponTables.all + AddonTables.all + WalletTables.all).map { .createTable($0) }),
        Migration("billing.0005-sales-payouts-affiliates", (SaleTables.all + PayoutTables.all + ReferralTables.all).map { .createTable($0) }),
        Migration("billing.0006-licences", LicenceTables.all.map { .createTable($0) }),
        Migration("billing.0007-figures", FigureTables.all.map { .createTable($0) }),
        Migration("billing.0008-consulting", ConsultingTables.all.map { .createTable($0) }),
        Migration("billing.0009-courses", CourseTables.atFirst.map { .createTable($0) }),
        Migration(
            "billing.0010-settled-usage",
            [.addColumn(table: "subscriptions", BillingTables.meteredFrom), .addColumn(table: "subscriptions", BillingTables.settled)]),
        Migration("billing.0011-exam-bars", [.addColumn(table: "exam_attempts", CourseTables.passPercent)])
    ]

    package static let permissions: [PermissionDeclaration] = [
        PermissionDeclaration(.billingRead, "See the subscription, invoices and payments.", roles: [.owner, .admin, .billing]),
        PermissionDeclaration(.billingWrite, "Change the subscription and who is invoiced.", roles: [.owner, .billing]),
        PermissionDeclaration(.meteringWrite, "Define metrics and record usage.", roles: [.owner, .admin, .editor]),
        PermissionDeclaration(.satisfactionAnswer, "Be asked how satisfied one is.", roles: Set(Role.allCases)),
        PermissionDeclaration(.servicesRead, "See consulting and courses, and learn.", roles: [.owner, .admin, .editor, .viewer, .billing]),
        PermissionDeclaration(.servicesWrite, "Offer consulting and courses, and write time sheets.", roles: [.owner, .admin, .editor])
    ]

    private static func servicePages(_ billing: Billing, _ context: BillingPageContext) -> [Endpoint] {
        let desks = [ServiceDesk.tenant(context), .platform(context)]
        let pages = desks.flatMap { desk in
            ConsultingPages(billing: billing, desk: desk).endpoints + ConsultingBookingPages(billing: billing, desk: desk).endpoints
                + CoursePages(billing: billing, desk: desk).endpoints + AuthoringPages(billing: billing, desk: desk).endpoints
        }
        return pages + LearningPages(billing: billing, context: context).endpoints
            + CertificatePages(billing: billing, context: context).endpoints
    }

    package static func module(billing: Billing, pages context: BillingPageContext) -> Module {
        let endpoints: [Endpoint] =
            SubscriptionRoutes(billing: billing).endpoints + ProfileRoutes(billing: billing).endpoints + InvoiceRoutes(billing: billing).endpoints
            + UsageRoutes(billing: billing).endpoints + ProviderRoutes(billing: billing).endpoints + FigureRoutes(billing: billing).endpoints
            + CouponRoutes(billing: billing).endpoints + AddonRoutes(billing: billing).endpoints + WalletRoutes(billing: billing).endpoints
            + EarningRoutes(billing: billing).endpoints + AffiliateRoutes(billing: billing).endpoints + LicenceRoutes(billing: billing).endpoints
            + FigurePages(billing: billing, context: context).endpoints
            + ConsultingRoutes(billing: billing).endpoints + LearningRoutes(billing: billing).endpoints + CourseRoutes(billing: billing).endpoints
            + servicePages(billing, context)
            + EarningPages(billing: billing, context: context).endpoints
            + BillingPages(billing: billing, context: context).endpoints
        return Module(name: "billing", tables: tables, migrations: migrations, endpoints: endpoints, permissions: permissions)
    }
}

extension Permission {
    package static let billingRead: Permission = "billing.read"
    package static let billingWrite: Permission = "billing.write"
    package static let meteringWrite: Permission = "metering.write"
    package static let satisfactionAnswer: Permission = "satisfaction.answer"
    package static let servicesRead: Permission = "services.read"
    package static let servicesWrite: Permission = "services.write"
    package static let operatorServices: Permission = "operator.services.write"
}
