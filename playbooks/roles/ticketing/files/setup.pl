# Makes RT's queue, accounts and rights; says "changed" when it had to. JSON on standard input:
# {"accounts": {login: {"name": …, "agent": 0|1, "password": … or null}}, "root": password}
use strict;
use warnings;
use JSON;
use lib '/usr/share/request-tracker5/lib';
use RT -init;

my $wanted = decode_json(do { local $/; <STDIN> });
my $system = RT->SystemUser;

sub changed {
    my ($ok, $message) = @_;
    die "$message\n" unless $ok;
    print "changed\n";
}

my $queue = RT::Queue->new($system);
$queue->Load('Incidents');
changed($queue->Create(Name => 'Incidents')) unless $queue->id;

my $everyone = RT::Group->new($system);
$everyone->LoadSystemInternalGroup('Everyone');
my $requestor = RT::Group->new($system);
$requestor->LoadRoleGroup(Object => RT->System, Name => 'Requestor');

sub grant {
    my ($principal, @rights) = @_;
    for my $right (@rights) {
        next if $principal->PrincipalObj->HasRight(Right => $right, Object => $queue);
        changed($principal->PrincipalObj->GrantRight(Right => $right, Object => $queue));
    }
}
grant($everyone, qw(SeeQueue CreateTicket));
my $acl = RT::ACL->new($system);
$acl->LimitToObject($queue);
$acl->LimitToPrincipal(Id => $requestor->PrincipalId);
my %has = map { $_->RightName => 1 } @{ $acl->ItemsArrayRef };
for my $right (grep { !$has{$_} } qw(ShowTicket ReplyToTicket)) {
    changed($requestor->PrincipalObj->GrantRight(Right => $right, Object => $queue));
}

for my $login (sort keys %{ $wanted->{accounts} }) {
    my $account = $wanted->{accounts}{$login};
    my $user = RT::User->new($system);
    $user->Load($login);
    changed($user->Create(Name => $login, RealName => $account->{name}, Privileged => $account->{agent}))
        unless $user->id;
    changed($user->SetPassword($account->{password}))
        if defined $account->{password} && !$user->IsPassword($account->{password});
    grant($user, qw(SeeQueue ShowTicket OwnTicket ModifyTicket ReplyToTicket CommentOnTicket TakeTicket))
        if $account->{agent};
}

# The package gives the administrator a password of its own.
my $root = RT::User->new($system);
$root->Load('root');
changed($root->SetPassword($wanted->{root})) unless $root->IsPassword($wanted->{root});
